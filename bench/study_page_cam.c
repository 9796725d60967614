/* study_page_cam.c - a study's section on class activation maps: which jobs, which family side by side. */
#include "html.h"
#include "study_cam_page.h"
#include "study_page.h"
#include "study_panels.h"

#include <string.h>

/* Bytes that pictures may take in the page, and the examples that are looked at. */
enum { PICTURES = 3 << 20, EXAMPLES = 4, SIDE = 6 };

static tx_status gather(const study_page *g, study_cam_models *m)
{
    const study_data *d = g->r->data;
    size_t count = 0;
    const study_cam_resampling how = {g->r->replicates, 0, 1};
    study_cam_job *job = tx_alloc(d->entries, sizeof *job);
    if (!job)
        return TX_ERR_MEMORY;
    for (size_t i = 0; i < d->entries; i++) {
        const study_entry *e = &d->entry[i];
        if (e->state == ENTRY_COMPLETE)
            job[count++] = (study_cam_job){e->net->name, e->cut, e->pretrained, e->folder};
    }
    tx_status status = study_cam_gather(m, job, count, &how);
    tx_free(job);
    return status;
}

/* The models of a network that have maps: random, pretrained, then its cuts. */
static size_t family_of(const study_cam_models *m, const tx_net_info *net, const study_cam_model *list[SIDE])
{
    size_t n = 0;
    for (int cut = 0; cut <= net->blocks; cut++)
        for (int pretrained = 0; pretrained < 2 && n < SIDE; pretrained++) {
            const study_cam_model *one = study_cam_find(m, net->name, cut, pretrained);
            if (one)
                list[n++] = one;
        }
    return n;
}

/* The family with the most models that have maps; among equals the first of the registry, where the paper's is. */
static size_t choose(const study_cam_models *m, const study_cam_model *list[SIDE])
{
    const study_cam_model *other[SIDE];
    size_t most = 0;
    for (int k = 0; k < tx_nets(); k++) {
        size_t n = family_of(m, tx_net_at(k), other);
        if (n > most) {
            most = n;
            memcpy(list, other, sizeof other);
        }
    }
    return most;
}

static tx_status write_section(tx_buffer *p, const study_cam_models *m)
{
    char name[STUDY_NAME];
    const study_cam_model *list[SIDE] = {NULL};
    size_t room = PICTURES, n = choose(m, list);
    tx_buffer_append(
        p, "<p>Grad-CAM: where the gradient of a finding's logit says that the last features speak for it. A truncated "
           "network's map has more cells, and may point better, as the paper says; whether it does stands in the "
           "table.</p>\n");
    tx_status status = study_cam_table(p, m);
    if (status == TX_OK)
        status = study_cam_families(p, m);
    if (status == TX_OK && n) {
        tx_buffer_append(p, "<h3>Side by side: ");
        tx_buffer_append(p, study_display_name(list[0]->net, 0, name));
        tx_buffer_append(p, "</h3>\n");
        status = study_cam_panel(p, list, n, EXAMPLES, &room);
    }
    return status;
}

tx_status page_cams(tx_buffer *p, const study_page *g)
{
    study_cam_models m = {0};
    tx_status status = gather(g, &m);
    if (status == TX_OK && m.known)
        status = write_section(p, &m);
    else if (status == TX_OK)
        tx_buffer_append(p, "<p>None of the jobs has maps: the data come without boxes, and --examples was 0.</p>\n");
    study_cam_models_free(&m);
    return status;
}
