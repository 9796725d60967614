/* study.h - a study: jobs, each a run in a folder of its own, and what they say together. Private to bench. */
#ifndef THORAX_BENCH_STUDY_H
#define THORAX_BENCH_STUDY_H

#include "options.h"

/* What is trained: a network, blocks cut, initial weights. */
typedef struct job {
    const char *net;
    int cut;
    const char *init;
} job;

typedef struct study {
    const options *o;
    const char *out;
    const char *preset; /* text, or NULL where a file is named */
    char *data;
    uint64_t seed;
} study;

/* NET[-K].INIT.SEED */
const char *job_name(const study *s, const job *j, char out[128]);
/* Its folder, the caller's. */
char *job_folder(const study *s, const job *j);
/* How images and labels are read, where the command line says it: that wins over the preset. Ends in NULL. */
enum { STUDY_OF_DATA = 9 };
extern const char *const study_of_data[STUDY_OF_DATA + 1];
/* How its page is titled, and how its results.csv begins. */
extern const char study_title[], study_results_begin[];
/* Gathers what the jobs have left: results.csv, report.html, and the figures on the screen. Returns an exit status. */
int study_report(const study *s, const job *jobs, size_t count);

#endif
