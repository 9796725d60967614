/* xrv.h - TorchXRayVision's classifiers: what their files say of outputs beside the weights, and its operating points.
 * Private to bench.
 *
 * Cohen et al., "TorchXRayVision: A library of chest X-ray datasets and models", MIDL 2022, arXiv:2111.00595; version 1.5.7. */
#ifndef THORAX_BENCH_XRV_H
#define THORAX_BENCH_XRV_H

#include "../nets/nets.h"
#include "settings.h"

/* Tensors in weights files that are no weights, up to NULL. */
extern const char *const xrv_beside[];

/* Adds what a file of TorchXRayVision's says, or is known to say by its name, as metadata of a checkpoint say it:
 *   op_threshs   a threshold or nan an output, with commas between
 *   tasks        a name an output, which may be empty
 *   size, normalize
 * The file's own op_threshs, and targets or pathologies of a pickled module, come before what its name says. Nothing is added of other files. TX_ERR_FORMAT where the
 * tensor is not for as many outputs. */
tx_status xrv_carried(settings *carried, tx_tensor_file *file, const char *path, const tx_net_choice *choice);
/* The thresholds that metadata have, the caller's; *out is NULL where they have none. */
tx_status xrv_thresholds(const settings *carried, int outputs, float **out);

/* What an output's logit says: its sigmoid; with thresholds, one an output, what op_norm makes of that: linear from 0 over 0.5
 * at the threshold to 1, and always 0.5 where the threshold is nan. threshold may be NULL. */
float xrv_probability(float logit, const float *threshold, int output);

#endif
