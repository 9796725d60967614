/* study_sentences.h - what a study's figures can and cannot show, in sentences that are computed from them. Private to bench. */
#ifndef THORAX_BENCH_STUDY_SENTENCES_H
#define THORAX_BENCH_STUDY_SENTENCES_H

#include "study_tests.h"

/* A list of sentences: what was done, pretraining, ranking, ImageNet, size, truncation. */
void study_findings(tx_buffer *p, const study_results *r, const study_tests *t);
/* A list of what limits them: one seed, the split, few positives, tasks that say the same, chance, weights that never saw
 * ImageNet, jobs that are missing. */
void study_limits(tx_buffer *p, const study_results *r, const study_tests *t);

#endif
