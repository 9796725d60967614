/* nets.h - the networks of the study, by name. Names of parameters, counts and initial values are torchvision's. */
#ifndef THORAX_NETS_H
#define THORAX_NETS_H

#include "../layers/layers.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tx_net_info tx_net_info;

/* Builds the network on `image` and returns its last features' node; the head is added by tx_net_build. cut: how many
 * final blocks are left out. Scopes that it enters it leaves. */
typedef tx_node *tx_net_features(tx_graph *graph, tx_node *image, const tx_net_info *net, int cut);

/* How a linear layer of the head begins: weight, bias. U(b) is uniform on [-b, b], N(s) normal with deviation s. */
typedef enum tx_head_init {
    TX_HEAD_IN,             /* U(1/sqrt(in)), U(1/sqrt(in)): what tx_linear does */
    TX_HEAD_IN_ZERO,        /* U(1/sqrt(in)), 0 */
    TX_HEAD_OUT_ZERO,       /* U(1/sqrt(out)), 0 */
    TX_HEAD_OUT_ROOT3_ZERO, /* U(sqrt(3/out)), 0 */
    TX_HEAD_NORMAL_ZERO,    /* N(0.01), 0 */
    TX_HEAD_NORMAL_IN       /* N(0.1), U(1/sqrt(in)) */
} tx_head_init;

/* What stands behind the features: global mean, a hidden layer where there is one, dropout, the linear layer. Behind cut
 * blocks the mean and the linear layer alone. */
typedef struct tx_net_head {
    const char *name;  /* of the last linear layer, e.g. "fc" */
    tx_head_init init; /* of all its linear layers */
    double dropout;
    const char *hidden; /* name of the hidden linear layer; NULL: none */
    int width;          /* its outputs, */
    tx_act act;         /* and what follows it */
} tx_net_head;

/* Another name of a module in weights files: old ones, another library's, that of the module whose numbers stand in for one
 * that only a cut network has. In `name` # stands for any number. In `other` # is the next of those numbers, <D the next
 * less the digit D, @ the next, counted from 2 on, as STAGE.BLOCK, where stage 1, 2, .. has stages[0], stages[1], .. blocks
 * counted from 0 (0 ends the list). A row with ^ is for networks with some of their blocks cut, ^ being the number of those
 * that are kept; one that begins with $ is for those with all blocks cut. */
typedef struct tx_net_alias {
    const char *name, *other; /* NULL after the last row */
    const int *stages;
    double eps; /* batch norm's in files that have the other name; 0: it says nothing */
} tx_net_alias;

struct tx_net_info {
    const char *name;   /* torchvision's, e.g. "resnet18" */
    const char *family; /* "ResNet" */
    tx_net_head head;
    int blocks;         /* that can be cut: cut is 0 .. blocks */
    int smallest;       /* side of the smallest square input that the whole network takes */
    int usual;          /* side of the squares that published weights are used with */
    double top1;        /* ImageNet top-1 in percent of the published weights, single centre crop of that size */
    const char *normal; /* how these weights want pixels: a name that tx_normalize knows; NULL: "imagenet" */
    tx_net_features *features;
    const void *table;              /* the family's own: widths and depths */
    const tx_net_alias *alias;      /* what older files call its modules; NULL: nothing else */
    const char *timm;               /* its name in timm; NULL: timm does not have it */
    const tx_net_alias *timm_alias; /* what timm calls its modules; NULL: the same */
    const char *file;               /* how names of published weights' files begin, with | between */
    const char *ignored;            /* how names of a file's tensors begin that the network does not have; NULL: none */
};

/* The registry, in the order in which `thorax nets` lists it. */
int tx_nets(void);
const tx_net_info *tx_net_at(int index);
/* NULL if there is no network of that name, which is an answer and leaves no message. */
const tx_net_info *tx_net_find(const char *name);

/* What tx_net_build adds to a graph. */
typedef struct tx_net_nodes {
    tx_node *features; /* the map that the global mean is taken of */
    tx_node *logits;   /* (N,1,1,classes) */
} tx_net_nodes;
/* Builds features and head. cut 1..net->blocks removes final blocks, as nets/README.md defines; the linear layer is then
 * U(1/sqrt(in)). image is (N,H,W,3), or (N,H,W,1): only the first convolution's shape depends on it. NULLs with an error in the graph where the image is smaller than the network takes, or
 * cut or classes are out of range. */
tx_net_nodes tx_net_build(tx_graph *graph, tx_node *image, const tx_net_info *net, int cut, int classes);

/* ------------------------------------------------------------------------------- described for use */
/* Which network: blocks cut, outputs, side of the square image, its channels; eps of its batch norms where weights want
 * another than its own (tx_net_eps_by_name), else 0. */
typedef struct tx_net_choice {
    const tx_net_info *net;
    int cut, classes, size;
    int channels; /* 3 or 1; 0: 3 */
    double eps;
} tx_net_choice;
int tx_net_channels(const tx_net_choice *choice); /* 3 or 1 */

typedef struct tx_network {
    tx_net_choice choice;
    tx_graph *graph;
    tx_node *image, *features, *logits;
    tx_node *label, *mask, *loss; /* (N,1,1,classes) inputs and the masked loss; NULL without one */
} tx_network;

/* The network alone, or with binary cross-entropy behind it: pos_weight (classes numbers, copied) may be NULL. The caller
 * frees it; after an error there is nothing to free. */
tx_status tx_network_build(tx_network *n, const tx_net_choice *choice, int with_loss, const float *pos_weight);
void tx_network_free(tx_network *n);
/* Other name k = 0, 1, .. that a weights file may have for the tensor of that name, the caller's; *other is NULL where
 * there is none. `choice` is a const tx_net_choice: this is a function for readers of files (tx_checkpoint_names in io.h).
 * TX_ERR_MEMORY. */
tx_status tx_net_other_name(const void *choice, const char *name, int k, char **other);
/* timm's name of the tensor of that name, the caller's, for networks with blocks cut too, which timm itself does not have.
 * TX_ERR_ARGUMENT: timm does not have the network. */
tx_status tx_net_timm_name(const void *choice, const char *name, char **timm);
/* The network whose published weights' files have names that begin as this one, without its folder; NULL: none's. Tensors
 * then decide, as a file may be renamed. */
const tx_net_info *tx_net_of_file(const char *name);
/* eps of batch norms that a file wants by the name of one of its tensors, where the library that calls it so has the network
 * with another eps than torchvision: MobileNetV3 with timm's names, 1e-5. 0: the name says nothing of it. */
double tx_net_eps_by_name(const tx_net_info *net, const char *tensor);
/* The last linear layer is to stand behind weights that were trained with another: it begins as one that stands behind cut
 * blocks, U(1/sqrt(in)). For the weights that are initialised from now on. */
tx_status tx_network_new_head(tx_network *n);
/* Sets the momentum of every batch norm's running statistics, 0 to 1; with 0 they stay as they are. */
tx_status tx_network_bn_momentum(tx_network *n, double momentum);
/* Sets the eps of every batch norm, above 0 to 1; for plans that are made from now on. */
tx_status tx_network_bn_eps(tx_network *n, double eps);
/* Multiply-adds of one image by the definition, and bytes of the arena of a session with these arguments. */
tx_status tx_network_costs(const tx_network *n, tx_session_args args, double *macs, size_t *arena);
/* "resnet18", or "resnet18-1" with a block cut; "" and a message without a network. out has 64 bytes. */
const char *tx_net_choice_name(const tx_net_choice *choice, char out[64]);
/* Trained parameters that belong to one node. */
size_t tx_node_parameters(const tx_node *node);

/* -------------------------------------------------------------------------- class activation maps
 * Grad-CAM (Selvaraju et al., ICCV 2017, arXiv:1610.02391) of the map that enters the global mean. */
typedef struct tx_cam tx_cam;
/* Plans runs of up to `batch` images in inference; logits have the bits that they have there. network and weights must
 * outlive it; of the network's fields choice.net, choice.cut, graph, features and logits are read, so that one whose image
 * is not square may be described by hand. The caller's; NULL and a message as for tx_session_new. */
tx_cam *tx_cam_new(const tx_network *network, tx_weights *weights, int batch);
void tx_cam_free(tx_cam *cam);
/* Its session, which it owns: for tx_session_input before a run, for tx_session_value of the logits after it. */
tx_session *tx_cam_session(const tx_cam *cam);
/* Runs the network on the first `images` of the session's inputs. */
tx_status tx_cam_run(tx_cam *cam, int images);
/* The maps of an image of the last run for the tasks task[0..count), as they are before the ReLU: raw has (count,h,w) of the
 * features, in logits. The network is not run again, the head alone is: forward and backward, a row a task. An error
 * without a run, and for images and tasks that are not there. */
tx_status tx_cam_maps(tx_cam *cam, int image, const int *task, int count, float *raw);

extern const tx_net_info tx_net_densenet121, tx_net_densenet169, tx_net_densenet201;
extern const tx_net_info tx_net_resnet18, tx_net_resnet34, tx_net_resnet50, tx_net_resnet101;
extern const tx_net_info tx_net_mnasnet1_0, tx_net_mobilenet_v2, tx_net_mobilenet_v3_large;
extern const tx_net_info tx_net_inception_v3, tx_net_inception_v4;
extern const tx_net_info tx_net_efficientnet_b0, tx_net_efficientnet_b1, tx_net_efficientnet_b2, tx_net_efficientnet_b3;
extern const tx_net_info tx_net_nasnet_a_mobile;

#ifdef __cplusplus
}
#endif
#endif
