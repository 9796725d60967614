/* xrv.c - TorchXRayVision's classifiers: what their files say of outputs beside the weights, and its operating points. */
#include "xrv.h"
#include "words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const xrv_beside[] = {"op_threshs", NULL};

/* The outputs of all its classifiers. */
enum { TASKS = 18 };
static const char tasks[] =
    "Atelectasis,Consolidation,Infiltration,Pneumothorax,Edema,Emphysema,Fibrosis,Effusion,Pneumonia,"
    "Pleural_Thickening,Cardiomegaly,Nodule,Mass,Hernia,Lung Lesion,Fracture,Lung Opacity,"
    "Enlarged Cardiomediastinum";

/* The published files hold weights alone: which outputs they were trained for, and the operating points, stand in its
 * models.py. */
#define DENSENET "-densenet121-d121-tw-lr001-rot45-tr15-sc15-seed0-best"
typedef struct published {
    const char *name, *file; /* of the weights, and what their file is called before its last point */
    int size;
    int gaps; /* an output without a threshold has no name */
    const char *thresholds;
} published;
static const published known[] = {
    {"densenet121-res224-all", "nih-pc-chex-mimic_ch-google-openi-kaggle" DENSENET, 224, 0,
     "0.07422872,0.038290843,0.09814756,0.0098118475,0.023601074,0.0022490358,0.010060724,0.103246614,"
     "0.056810737,0.026791653,0.050318155,0.023985857,0.01939503,0.042889766,0.053369623,0.035975814,"
     "0.20204692,0.05015312"},
    {"densenet121-res224-nih", "nih" DENSENET, 224, 1,
     "0.039117552,0.0034529066,0.11396341,0.0057298196,0.00045666535,0.0018880932,0.012037827,0.038744126,"
     "0.0037213727,0.014730946,0.016149804,0.054241467,0.037198864,0.0004403434,nan,nan,nan,nan"},
    {"densenet121-res224-pc", "pc" DENSENET, 224, 1,
     "0.031012505,0.013347598,0.081435576,0.001262615,0.002587246,0.0035944257,0.0023071,0.055412333,"
     "0.044385884,0.042766232,0.043258056,0.037629247,0.005658899,0.0091741895,nan,0.026507627,nan,nan"},
    {"densenet121-res224-chex", "chex" DENSENET, 224, 1,
     "0.1988969,0.05710573,nan,0.0531293,0.1435217,nan,nan,0.27212676,0.07749717,nan,0.19712369,nan,nan,"
     "nan,0.09932402,0.09273402,0.3270967,0.10888247"},
    {"densenet121-res224-rsna", "kaggle" DENSENET, 224, 1,
     "nan,nan,nan,nan,nan,nan,nan,nan,0.13486601,nan,nan,nan,nan,nan,nan,nan,0.13511065,nan"},
    {"densenet121-res224-mimic_nb", "mimic_nb" DENSENET, 224, 1,
     "0.08558747,0.011884617,nan,0.0040595434,0.010733786,nan,nan,0.118761964,0.022924708,nan,0.06358637,"
     "nan,nan,nan,0.022143636,0.017476924,0.1258702,0.014020768"},
    {"densenet121-res224-mimic_ch", "mimic_ch" DENSENET, 224, 1,
     "0.09121389,0.010573786,nan,0.005023008,0.003698257,nan,nan,0.08001232,0.037242252,nan,0.05006329,"
     "nan,nan,nan,0.019866971,0.03823637,0.11303808,0.0069147074"},
    {"resnet50-res512-all", "pc-nih-rsna-siim-vin-resnet50-test512-e400-state", 512, 0,
     "0.51570356,0.50444704,0.53787947,0.50723547,0.5025118,0.5035252,0.5038076,0.51862943,0.5078151,"
     "0.50724894,0.5056339,0.510706,0.5053923,0.5020846,nan,0.5080557,0.5138526,nan"},
};

/* Whether the path's last part is `stem`, or that with a point and letters or digits behind it. */
static int is_called(const char *path, const char *stem)
{
    const char *name = last_part(path);
    size_t n = strlen(stem);
    return strncmp(name, stem, n) == 0 && (name[n] == 0 || (name[n] == '.' && !strchr(name + n + 1, '.')));
}

static const published *find_published(const char *path, const tx_net_choice *choice)
{
    const char *net = choice->net->name;
    for (size_t i = 0; i < sizeof known / sizeof *known && choice->classes == TASKS && !choice->cut; i++)
        if (strncmp(known[i].name, net, strlen(net)) == 0 &&
            (is_called(path, known[i].name) || is_called(path, known[i].file)))
            return &known[i];
    return NULL;
}

/* The names that a pickled module has of its outputs. */
static tx_status set_targets(settings *carried, const tx_tensor_file *file, const char *key)
{
    tx_buffer list = {0};
    const char *name;
    for (size_t i = 0; (name = tx_tensor_file_text(file, key, i)) != NULL; i++) {
        if (strchr(name, ','))
            list.status = tx_fail(TX_ERR_FORMAT, "a comma in the name of output %zu", i);
        tx_buffer_append(&list, i ? "," : "");
        tx_buffer_append(&list, name);
    }
    tx_status status = list.status ? list.status : settings_set(carried, "tasks", list.data ? list.data : "");
    tx_buffer_free(&list);
    return status;
}

/* The names of the outputs; with a list of thresholds those alone that have one. */
static tx_status set_tasks(settings *carried, const char *thresholds)
{
    tx_buffer list = {0};
    const char *all = tasks;
    char name[64], number[TX_NUMBER];
    for (int i = 0; next_item(&all, ',', name, sizeof name) == 1; i++) {
        int has = !thresholds || (next_item(&thresholds, ',', number, sizeof number) == 1 && strcmp(number, "nan"));
        tx_buffer_add(&list, "%s%s", i ? "," : "", has ? name : "");
    }
    tx_status status = list.status ? list.status : settings_set(carried, "tasks", list.data);
    tx_buffer_free(&list);
    return status;
}

static tx_status set_tensor(settings *carried, tx_tensor_file *file, const tx_stored *t, int outputs)
{
    char number[TX_NUMBER];
    if (!(t->dims == 1 && t->count == (size_t)outputs && t->dtype <= TX_BF16))
        return tx_fail(TX_ERR_FORMAT,
                       "tensor 'op_threshs' has %zu elements of %s in %d dimensions, expected %d numbers", t->count,
                       tx_dtype_name(t->dtype), t->dims, outputs);
    float *value = tx_alloc(t->count, sizeof *value);
    tx_status status = value ? tx_tensor_file_floats(file, t, value) : TX_ERR_MEMORY;
    tx_buffer list = {0};
    for (size_t i = 0; status == TX_OK && i < t->count; i++)
        tx_buffer_add(&list, "%s%s", i ? "," : "", tx_number_print(number, sizeof number, (double)value[i], 9));
    if (status == TX_OK)
        status = list.status ? list.status : settings_set(carried, "op_threshs", list.data);
    tx_buffer_free(&list);
    tx_free(value);
    return status;
}

/* Side of the images, and their normalisation. */
static tx_status set_pixels(settings *carried, const tx_tensor_file *file, const published *p,
                            const tx_net_choice *choice)
{
    const char *own = tx_tensor_file_text(file, "input_resolution", 0);
    int resnet = strncmp(choice->net->name, "resnet", 6) == 0;
    long size = p ? p->size : resnet ? 512 : 224;
    if (own)
        parse_whole(own, 1, TX_SIZE_MAX, &size);
    tx_status status = settings_format(carried, "size", "%ld", size);
    return status == TX_OK ? settings_set(carried, "normalize", "xrv") : status;
}

/* The file's own names, else those that the class has. */
static tx_status set_names(settings *carried, const tx_tensor_file *file, const published *p, int outputs)
{
    static const char *const own[] = {"targets", "pathologies"};
    for (int k = 0; k < 2; k++)
        if (tx_tensor_file_text(file, own[k], 0))
            return set_targets(carried, file, own[k]);
    return outputs == TASKS ? set_tasks(carried, p && p->gaps ? p->thresholds : NULL) : TX_OK;
}

tx_status xrv_carried(settings *carried, tx_tensor_file *file, const char *path, const tx_net_choice *choice)
{
    const char *class = tx_tensor_file_class(file);
    const published *p = find_published(path, choice);
    const tx_stored *t = tx_tensor_file_find(file, xrv_beside[0]);
    if (!t && !p)
        t = tx_tensor_file_attribute(file, xrv_beside[0]);
    if (!t && !p && !(class && strncmp(class, "torchxrayvision.", 16) == 0))
        return TX_OK;
    tx_status status = set_pixels(carried, file, p, choice);
    if (status == TX_OK)
        status = set_names(carried, file, p, choice->classes);
    if (status == TX_OK && t)
        return set_tensor(carried, file, t, choice->classes);
    return status == TX_OK && p ? settings_set(carried, "op_threshs", p->thresholds) : status;
}

tx_status xrv_thresholds(const settings *carried, int outputs, float **out)
{
    const char *list = settings_get(carried, "op_threshs");
    char number[TX_NUMBER + 32], shown[TX_TEXT];
    double value;
    *out = NULL;
    if (!list)
        return TX_OK;
    float *t = tx_alloc((size_t)outputs, sizeof *t);
    if (!t)
        return TX_ERR_MEMORY;
    int n = 0, more;
    while ((more = next_item(&list, ',', number, sizeof number)) == 1 && n < outputs) {
        int none = strcmp(number, "nan") == 0;
        if (!none && parse_real(number, 0, 1, &value)) {
            tx_free(t);
            return tx_fail(TX_ERR_FORMAT, "op_threshs: '%s', expected a number from 0 to 1, or nan",
                           tx_escape(shown, sizeof shown, number));
        }
        t[n++] = none ? (float)NAN : (float)value;
    }
    if (more != 0 || n != outputs) {
        tx_free(t);
        return tx_fail(TX_ERR_FORMAT, "op_threshs: another number of thresholds than the %d outputs", outputs);
    }
    *out = t;
    return TX_OK;
}

float xrv_probability(float logit, const float *threshold, int output)
{
    float p = tx_logisticf(logit), t = threshold ? threshold[output] : 0;
    if (!threshold)
        return p;
    if (isnan(t))
        return 0.5F;
    return p < t || t >= 1 ? p / (t * 2) : 1 - (1 - p) / ((1 - t) * 2);
}
