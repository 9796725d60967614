/* recognise.h - which network's weights a file holds. Private to bench. */
#ifndef THORAX_BENCH_RECOGNISE_H
#define THORAX_BENCH_RECOGNISE_H

#include "../io/io.h"
#include "../nets/nets.h"

/* tx_tensor_file_open. What this version has no network for is refused by the file's name: TensorFlow's padding (tf_..). */
tx_tensor_file *weights_open(const char *path);
/* Reads the weights of a network from a file whose tensors may have other names: see tx_checkpoint_read. */
tx_status net_checkpoint(const char *path, const tx_net_choice *choice, tx_weights *weights, int flags,
                         tx_checkpoint_report *report);
/* Channels of the images that a file of the network's weights is for, by its first convolution; 3 where it has none. */
int net_channels(const tx_tensor_file *file, const tx_net_choice *choice);
/* eps of batch norms that the file's weights want, by `eps` in its metadata, else by its tensors' names; 0: the network's. */
double net_eps(const tx_tensor_file *file, const tx_net_info *net);
/* Outputs by the last layer in a file of that network with those blocks cut, 0 if that is not there; its channels, and the
 * eps of net_eps, are put into the choice with them. */
int net_outputs(const tx_tensor_file *file, tx_net_choice *choice);
/* The network whose names and shapes are the file's: its tensors decide, and between networks that they do not tell apart
 * the file's name. asked: among these alone, NULL: all; so for cut, -1: any number of blocks. Returns an exit status, after a
 * line if it is not EXIT_DONE. */
int recognise(const tx_tensor_file *file, const char *path, const tx_net_info *asked, long cut, tx_net_choice *choice);
/* The network that a file's name begins with, as torchvision, timm or the publisher of the weights calls it; NULL: none. */
const tx_net_info *net_named(const char *path);

/* The file of published weights in a folder: by its name, BEGINNING...pth or .safetensors, and by its tensors. Of several the
 * first with the beginning that net->file has first, .pth before the other; then those that the network's own name begins.
 * net: of that network; NULL: of any, if the folder has one network's alone. The caller's; NULL: an error is stored. */
char *published_find(const char *folder, const tx_net_info *net);

#endif
