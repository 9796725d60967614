/* study_gather.h - what the jobs of a study have left, and whom their predictions are of. Private to bench.
 *
 * A unit is a study of the scored split: its score is the maximum over its images, its label positive if one of them is,
 * masked (-1) if all are. */
#ifndef THORAX_BENCH_STUDY_GATHER_H
#define THORAX_BENCH_STUDY_GATHER_H

#include "../nets/nets.h"
#include "scores.h"
#include "settings.h"
#include "splits.h"
#include "study_people.h"

typedef enum study_state {
    ENTRY_MISSING, /* nothing that is complete */
    ENTRY_COMPLETE,
    ENTRY_FAILED,
    ENTRY_UNFIT /* complete, but not comparable with the others */
} study_state;

/* A job and what it left. */
typedef struct study_entry {
    const tx_net_info *net;
    const char *init; /* "random", or what it is compared with */
    int cut;
    uint64_t seed;
    char name[128];
    char *folder;
    int pretrained;
    study_state state;
    char *why;             /* of all but complete ones: a line */
    settings note, config; /* job.txt, config.txt */
    size_t parameters;
    char chain[65]; /* the last of digests.txt */
    double *score;  /* tasks x units */
} study_entry;

typedef struct study_data {
    study_entry *entry; /* all jobs, in the study's order */
    size_t entries, complete;
    tx_dataset *table[SPLITS]; /* NULL: there is none; all of them NULL while nothing is complete */
    study_person *people[SPLITS];
    int scored;             /* SPLIT_TEST, where there is none SPLIT_VALID */
    unsigned char *present; /* an image of the scored split: it could be read */
    int tasks;
    char **task; /* the table's */
    size_t units, patients;
    unit_list studies;  /* of all tasks */
    uint32_t *unit;     /* an image's; UINT32_MAX: it could not be read */
    uint32_t *patient;  /* a unit's, 0 .. patients - 1 */
    study_person *who;  /* a unit's */
    signed char *label; /* tasks x units */
} study_data;

/* d is zeros but for entry and entries, which it takes over: of each the network, init, cut, seed, name, folder and state, with
 * why where that is not ENTRY_COMPLETE. data: the folder of the tables. To be freed whatever this returns. A complete job whose
 * files do not fit the tables or the first complete one is no error, but becomes ENTRY_UNFIT. */
tx_status study_gather(study_data *d, const char *data);
void study_data_free(study_data *d);
/* Which is the first job that is complete; entries: none. */
size_t study_first(const study_data *d);
/* Its predictions of the scored split, of each image that is present: images x tasks. The caller's. */
tx_status study_predictions(const study_data *d, const study_entry *e, double **probability);

#endif
