/* table.c - a CheXpert table: rows, labels, groups, the files that it names. The first byte chooses the options. */
#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char table[] =
        "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Edema,\"Pleural, Other\"\r\n"
        "CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg,Female,68,Frontal,AP,1.0,,-1.0\r\n"
        "\"valid/a \"\"b\"\".jpg\",Male,3,Lateral,,0.0,1,0\n"
        "train/x.jpg,Unknown,0,Frontal,PA,-1,,\n";
    char seed[sizeof table];
    for (int i = 0; i < 8; i++) {
        snprintf(seed, sizeof seed, "%c%s", "0Aak7~}p"[i], table);
        char name[16];
        snprintf(name, sizeof name, "table%d", i);
        fuzz_seed(name, seed, strlen(seed));
    }
    (void)argc;
    (void)argv;
    return 0;
}

static void use(const tx_dataset *d)
{
    uint32_t index[16];
    for (size_t i = 0; i < d->images && i < 16; i++) {
        float label[64], mask[64];
        index[0] = (uint32_t)i;
        tx_free(tx_dataset_file(d, i));
        char **places;
        size_t count;
        if (tx_dataset_places(d, d->path[i], &places, &count) == TX_OK)
            tx_folder_names_free(places, count);
        if (d->tasks <= 64)
            tx_dataset_targets(d, index, 1, label, mask);
        if (d->study[i] >= d->studies || d->patient[i] >= d->patients || !d->study_name[d->study[i]][0])
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const tasks[] = {NULL, "all", "competition", "Edema, No Finding"};
    static const char *const uncertain[] = {"ignore", "zeros,ones:Edema", "ones,ignore:Pleural, Other+No Finding"};
    if (size == 0)
        return 0;
    const char *path = fuzz_file("train.csv", data + 1, size - 1);
    char folder[512];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    int how = data[0];
    tx_dataset_options options = {.tasks = tasks[how & 3],
                                  .uncertain = uncertain[(how >> 2) % 3],
                                  .blank = (tx_blank)(how >> 4 & 1),
                                  .views = (tx_views)((how >> 5) % 3)};
    tx_dataset *d = tx_dataset_open(folder, "train", &options);
    fuzz_check(!d);
    if (d)
        use(d);
    tx_dataset_free(d);
    return 0;
}
