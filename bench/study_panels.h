/* study_panels.h - the pictures of a study, drawn from its table of models. Private to bench. */
#ifndef THORAX_BENCH_STUDY_PANELS_H
#define THORAX_BENCH_STUDY_PANELS_H

#include "../io/io.h"
#include "study_table.h"

/* The first four are the summary of Ke et al., "CheXtransfer" (CHIL 2021), the others its single figures. The two of a
 * pair, random and pretrained, have the same range of AUC. */
typedef enum study_picture {
    STUDY_PANEL_TOP1,   /* AUC of pretrained networks against ImageNet top-1, with the fitted line */
    STUDY_PANEL_FAMILY, /* AUC by family against size, joined: without pretraining, as the paper's claim is of these */
    STUDY_PANEL_MEAN,   /* mean AUC with and without pretraining, of networks that have both: all, by family */
    STUDY_PANEL_KEPT,   /* AUC against the share of parameters kept, truncated families */
    STUDY_TOP1_RANDOM,
    STUDY_TOP1_PRETRAINED,
    STUDY_SIZE_RANDOM, /* against log parameters */
    STUDY_SIZE_PRETRAINED,
    STUDY_GAIN,  /* pretrained - random, paired, against log parameters */
    STUDY_TRADE, /* truncated - full, paired, against log parameters */
    STUDY_PICTURES
} study_picture;

/* "top1", "family", "mean", "kept", "top1-random", ..: its file is panel-NAME.svg. */
const char *study_picture_name(study_picture which);
/* Appends it as <svg>, which is a file of its own as well. Bars are one standard deviation of the bootstrap. notes: lines
 * below the title, such as a correlation; NULL: none. What is missing is said below the picture. TX_ERR_MEMORY, in `to`
 * too. */
tx_status study_panel(tx_buffer *to, const study_table *t, study_picture which, const char *notes);

/* "ResNet-18", and with blocks cut "ResNet-18 (-2)"; a network that is not known has its own name. Returns out. */
enum { STUDY_NAME = 64 };
const char *study_display_name(const char *net, int cut, char out[STUDY_NAME]);

#endif
