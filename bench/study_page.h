/* study_page.h - a study's report.html and its sections. Private to bench. */
#ifndef THORAX_BENCH_STUDY_PAGE_H
#define THORAX_BENCH_STUDY_PAGE_H

#include "study_tests.h"

typedef struct study_page {
    const study_results *r; /* of one complete job at least */
    const study_tests *t;
    const settings *shared; /* study.txt: what all jobs share */
    const char *repeat;     /* the command line that does it again, without places */
} study_page;

/* OUT/report.html and the pictures, OUT/panel-NAME.svg. */
tx_status study_page_write(const study_page *g, const char *out);

/* ------------------------------------------------------------------------------ tables (study_page_models.c) */
void page_models(tx_buffer *p, const study_page *g);     /* all models with their intervals */
void page_gains(tx_buffer *p, const study_page *g);      /* pretrained - random */
void page_leads(tx_buffer *p, const study_page *g);      /* the best network beside the others */
void page_ranks(tx_buffer *p, const study_page *g);      /* rank correlations */
void page_truncation(tx_buffer *p, const study_page *g); /* cut - full, and what can be cut */

/* ------------------------------------------------------------------------------ people (study_page_people.c) */
void page_patients(tx_buffer *p, const study_page *g);
/* What the best model is, its AUC in parts of the scored split, its tasks, ROC and calibration (study_page_best.c). */
tx_status page_best(tx_buffer *p, const study_page *g);
tx_status page_groups(tx_buffer *p, const study_page *g);
/* Class activation maps (study_page_cam.c). */
tx_status page_cams(tx_buffer *p, const study_page *g);

/* -------------------------------------------------------------------------------- jobs (study_page_jobs.c) */
void page_jobs(tx_buffer *p, const study_page *g);     /* which are missing, and why */
void page_settings(tx_buffer *p, const study_page *g); /* the options that they share, and exceptions */
void page_sources(tx_buffer *p, const study_page *g);  /* what their weights began as */
void page_digests(tx_buffer *p, const study_page *g);  /* what another machine must show */

#endif
