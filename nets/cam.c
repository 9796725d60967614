/* cam.c - class activation maps.
 *
 * Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra: "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
 * Localization", ICCV 2017, arXiv:1610.02391, equations 1 and 2, on the map A that enters the global mean:
 *
 *     alpha_c = 1/(h w) sum_p d logit_t / d A_c[p]        raw[p] = sum_c alpha_c A_c[p]
 *
 * and without the ReLU of equation 2, which the caller takes. The logits see A by its means m_c = 1/(h w) sum_p A_c[p]
 * alone, so d logit_t / d A_c[p] = (d logit_t / d m_c) / (h w) at every p, which is alpha_c; the network behind m is the
 * head, described a second time on its own, with m as its input. A task of an image is a row of the head's batch: any
 * number of maps costs one run of the network and a forward and backward of the head a row.
 * Sums over channels are taken in double, in the order of the channels. */
#include "blocks.h"

#include <string.h>

enum { ROWS = 16 }; /* of the head's batch */

struct tx_cam {
    tx_network network; /* the caller's nodes */
    tx_node *pooled;    /* m */
    tx_session *session;
    tx_graph *graph; /* of the head */
    tx_node *means;  /* its input */
    tx_weights *weights;
    tx_session *head;
    unsigned long version;  /* of the network's weights that the head has; 0: none */
    int images;             /* of the last run; 0: there is none */
    float *features, *mean; /* (images,h,w,c), (images,c) */
    float *dy, *dx;         /* (ROWS,classes), (ROWS,c) */
};

/* The head alone, on means of as many channels as the features have. */
static tx_status build_head(tx_cam *cam)
{
    const tx_network *n = &cam->network;
    cam->graph = tx_graph_new();
    cam->means = tx_input(cam->graph, n->features->c, 1, 1);
    tx_net_head_build(cam->graph, cam->means, n->choice.net, n->choice.cut, n->logits->c);
    tx_status status = cam->graph ? tx_graph_status(cam->graph) : TX_ERR_MEMORY;
    if (status == TX_OK)
        status = tx_node_keep(cam->means);
    if (status)
        return status;
    cam->weights = tx_weights_new(cam->graph, 0);
    tx_session_args args = {.batch = ROWS, .mode = TX_EXPLAIN};
    cam->head = cam->weights ? tx_session_new(cam->graph, cam->weights, args) : NULL;
    return cam->head ? TX_OK : tx_error_status();
}

static tx_status open_network(tx_cam *cam, tx_weights *weights, int batch)
{
    tx_network *n = &cam->network;
    cam->pooled = n->logits;
    while (cam->pooled && (cam->pooled->inputs < 1 || cam->pooled->input[0] != n->features))
        cam->pooled = cam->pooled->inputs > 0 ? cam->pooled->input[0] : NULL;
    if (!cam->pooled)
        return tx_fail(TX_ERR_ARGUMENT, "tx_cam_new: the logits do not come from the features");
    if (cam->pooled->h != 1 || cam->pooled->w != 1 || cam->pooled->c != n->features->c)
        return tx_fail(TX_ERR_ARGUMENT,
                       "tx_cam_new: behind the features of %d channels is a map of %d x %d x %d, "
                       "expected their mean",
                       n->features->c, cam->pooled->h, cam->pooled->w, cam->pooled->c);
    tx_status status = tx_node_keep(n->features);
    if (status == TX_OK)
        status = tx_node_keep(cam->pooled);
    if (status)
        return status;
    cam->session = tx_session_new(n->graph, weights, (tx_session_args){.batch = batch});
    return cam->session ? TX_OK : tx_error_status();
}

static tx_status make_room(tx_cam *cam, int batch)
{
    size_t images = (size_t)batch, c = (size_t)cam->network.features->c, classes = (size_t)cam->network.logits->c;
    size_t pixels = (size_t)cam->network.features->h * (size_t)cam->network.features->w;
    cam->features = tx_alloc(images * pixels, c * sizeof *cam->features);
    cam->mean = tx_alloc(images, c * sizeof *cam->mean);
    cam->dy = tx_alloc(ROWS, classes * sizeof *cam->dy);
    cam->dx = tx_alloc(ROWS, c * sizeof *cam->dx);
    return cam->features && cam->mean && cam->dy && cam->dx ? TX_OK : TX_ERR_MEMORY;
}

tx_cam *tx_cam_new(const tx_network *network, tx_weights *weights, int batch)
{
    if (!network || !network->graph || !network->features || !network->logits || !weights) {
        tx_fail_null("tx_cam_new", weights ? "network" : "weights");
        return NULL;
    }
    tx_cam *cam = tx_alloc(1, sizeof *cam);
    if (!cam)
        return NULL;
    cam->network = *network;
    if (open_network(cam, weights, batch) || build_head(cam) || make_room(cam, batch)) {
        tx_cam_free(cam);
        return NULL;
    }
    return cam;
}

void tx_cam_free(tx_cam *cam)
{
    if (!cam)
        return;
    tx_session_free(cam->session);
    tx_session_free(cam->head);
    tx_weights_free(cam->weights);
    tx_graph_free(cam->graph);
    tx_free(cam->features);
    tx_free(cam->mean);
    tx_free(cam->dy);
    tx_free(cam->dx);
    tx_free(cam);
}

tx_session *tx_cam_session(const tx_cam *cam)
{
    if (!cam)
        tx_fail_null("tx_cam_session", "maps");
    return cam ? cam->session : NULL;
}

/* The head's parameters are those of the network that bear their names. */
static tx_status take_weights(tx_cam *cam)
{
    const tx_weights *from = tx_session_weights(cam->session);
    if (cam->version == from->version)
        return TX_OK;
    for (int i = 0; i < tx_graph_params(cam->graph); i++) {
        const tx_param *p = tx_graph_param(cam->graph, i);
        int at = tx_graph_find(cam->network.graph, p->name);
        const tx_param *q = at < 0 ? NULL : tx_graph_param(cam->network.graph, at);
        if (!q || q->count != p->count)
            return tx_fail(TX_ERR_ARGUMENT, "tx_cam_run: the network has no parameter '%s' of its head", p->name);
        memcpy(tx_weights_param(cam->weights, p), tx_weights_param(from, q), p->count * sizeof(float));
    }
    cam->version = from->version;
    return tx_weights_changed(cam->weights);
}

tx_status tx_cam_run(tx_cam *cam, int images)
{
    if (!cam)
        return tx_fail_null("tx_cam_run", "maps");
    cam->images = 0;
    tx_status status = tx_session_batch(cam->session, images);
    if (status == TX_OK)
        status = tx_forward(cam->session);
    if (status == TX_OK)
        status = tx_session_value(cam->session, cam->network.features, cam->features);
    if (status == TX_OK)
        status = tx_session_value(cam->session, cam->pooled, cam->mean);
    if (status == TX_OK)
        status = take_weights(cam);
    cam->images = status ? 0 : images;
    return status;
}

/* dx: the gradients of the logits task[0..rows) by the means of the image. */
static tx_status head_gradients(tx_cam *cam, int image, const int *task, int rows)
{
    size_t c = (size_t)cam->network.features->c, classes = (size_t)cam->network.logits->c;
    float *means = tx_session_input(cam->head, cam->means);
    memset(cam->dy, 0, (size_t)rows * classes * sizeof *cam->dy);
    for (int k = 0; k < rows; k++) {
        memcpy(means + (size_t)k * c, cam->mean + (size_t)image * c, c * sizeof *means);
        cam->dy[(size_t)k * classes + (size_t)task[k]] = 1;
    }
    tx_status status = tx_session_batch(cam->head, rows);
    if (status == TX_OK)
        status = tx_forward(cam->head);
    if (status == TX_OK)
        status = tx_backward(cam->head, cam->dy);
    return status ? status : tx_session_gradient(cam->head, cam->means, cam->dx);
}

static void weigh(const float *features, size_t pixels, size_t c, const float *gradient, float *raw)
{
    for (size_t p = 0; p < pixels; p++) {
        double sum = 0;
        for (size_t k = 0; k < c; k++)
            sum += (double)gradient[k] * (double)features[p * c + k];
        raw[p] = (float)(sum / (double)pixels);
    }
}

tx_status tx_cam_maps(tx_cam *cam, int image, const int *task, int count, float *raw)
{
    if (!cam || !task || !raw)
        return tx_fail_null("tx_cam_maps", !cam ? "maps" : task ? "room for the maps" : "tasks");
    const tx_node *f = cam->network.features;
    size_t pixels = (size_t)f->h * (size_t)f->w, c = (size_t)f->c;
    if (image < 0 || image >= cam->images)
        return tx_fail(TX_ERR_ARGUMENT, "tx_cam_maps: image %d of a run of %d", image, cam->images);
    for (int k = 0; k < count; k++)
        if (task[k] < 0 || task[k] >= cam->network.logits->c)
            return tx_fail(TX_ERR_ARGUMENT, "tx_cam_maps: task %d of %d", task[k], cam->network.logits->c);
    for (int from = 0; from < count; from += ROWS) {
        int rows = count - from < ROWS ? count - from : ROWS;
        tx_status status = head_gradients(cam, image, task + from, rows);
        if (status)
            return status;
        for (int k = 0; k < rows; k++)
            weigh(cam->features + (size_t)image * pixels * c, pixels, c, cam->dx + (size_t)k * c,
                  raw + (size_t)(from + k) * pixels);
    }
    return TX_OK;
}
