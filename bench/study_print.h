/* study_print.h - what a study says on the screen at its end. Private to bench. */
#ifndef THORAX_BENCH_STUDY_PRINT_H
#define THORAX_BENCH_STUDY_PRINT_H

#include "study_tests.h"

/* A row a model, and the path of the report. */
tx_status study_print(const study_results *r, const study_tests *t, const char *data, const char *out);
/* The same and all comparisons as one JSON object. */
void study_print_json(const study_results *r, const study_tests *t, const char *data, const char *out);

#endif
