/* weights.c - the checker for weights files of other programs: weights DIR --data DATA
 *
 * DIR/expected.csv says, a row a file, which network it holds and the logits that it gives an image of DATA:
 *
 *     file,net,cut,classes,image,size,normalize,logits
 *     FILE,NET,K,C,IMAGE,SIZE,imagenet|half,L0,L1,..
 *
 * The image is brought to SIZE as the program does it (bilinear, shorter side, centred crop). Each logit may differ by 1e-4 of
 * the largest. DIR/refuse.txt says, "FILE: WHY" a line, what must be refused.
 *
 * Prints a line a file, and last a line with the sums. Rows of networks that this version does not have are skipped. Exit
 * status: 0 nothing differs, 1 something does or there are no rows, 2 wrong usage.
 */
#include "../bench/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 7, LINE = 1 << 20, PATHS = 2048 };
static const char header[] = "file,net,cut,classes,image,size,normalize,logits";
static const double tolerance = 1e-4;

typedef struct tally {
    size_t files, compared, skipped, failed;
} tally;

static void fail(tally *sums, const char *file, const char *why)
{
    printf("%s: FAILED: %s\n", file, why);
    sums->failed++;
}

/* What the file holds must be what the row says, found by its tensors alone. */
static int known(const char *path, const tx_net_choice *wanted, tx_net_choice *choice)
{
    tx_tensor_file *file = weights_open(path);
    if (!file)
        return 0;
    int same = recognise(file, path, NULL, -1, choice) == 0 && strcmp(choice->net->family, wanted->net->family) == 0 &&
               choice->cut == wanted->cut && choice->classes == wanted->classes;
    if (same)
        same = net_outputs(file, choice) == wanted->classes;
    else
        tx_fail(TX_ERR_FORMAT, "its tensors are not those of %s with %d blocks cut and %d outputs", wanted->net->name,
                wanted->cut, wanted->classes);
    tx_tensor_file_close(file);
    choice->classes = wanted->classes;
    choice->size = wanted->size;
    return same;
}

/* The logits that the file gives the image, classes of them. */
static int logits_of(const char *path, const char *image, const char *normalize, const tx_net_choice *choice,
                     float *out)
{
    tx_preprocess how = {.size = choice->size, .interpolation = TX_BILINEAR};
    predictor p;
    if (tx_normalize_parse(normalize, &how.normalize) || predictor_open(&p, choice, 1))
        return 0;
    int done = predictor_load(&p, path) == TX_OK &&
               tx_preprocess_file(&how, image, tx_session_input(p.session, p.net.image), NULL) == TX_OK &&
               predictor_run(&p, 1) == TX_OK;
    if (done)
        memcpy(out, p.logits, (size_t)choice->classes * sizeof *out);
    predictor_free(&p);
    return done;
}

/* Compares with the wanted ones, texts separated by commas. Returns the number of them, or 0. */
static size_t compare(tally *sums, const char *file, const char *list, const float *logits, size_t classes)
{
    double largest = 0, worst = 0, value;
    char *end;
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++) {
        const char *p = list;
        for (n = 0; n < classes && *p; n++, p = *end ? end + 1 : end) {
            value = strtod(p, &end);
            if (end == p || (*end && *end != ','))
                return 0;
            largest = fabs(value) > largest ? fabs(value) : largest;
            double error = fabs((double)logits[n] - value);
            if (pass && !(error <= worst))
                worst = error;
        }
        if (n != classes || *p)
            return 0;
    }
    sums->compared += n;
    printf("%s: %zu logits, worst error %.1e of the largest%s\n", file, n, worst / largest,
           worst <= tolerance * largest ? "" : ": FAILED");
    sums->failed += !(worst <= tolerance * largest);
    return n;
}

static void check_row(const char *folder, const char *data, char *line, tally *sums)
{
    char *field[FIELDS + 1], path[PATHS], image[PATHS];
    int n = 0;
    for (char *p = line; p && n <= FIELDS; n++) {
        field[n] = p;
        p = n < FIELDS ? strchr(p, ',') : NULL;
        if (p)
            *p++ = 0;
    }
    sums->files++;
    if (n != FIELDS + 1) {
        fail(sums, field[0], "a row of too few columns");
        return;
    }
    tx_net_choice wanted = {.net = tx_net_find(field[1]),
                            .cut = atoi(field[2]),
                            .classes = atoi(field[3]),
                            .size = atoi(field[5])},
                  choice;
    if (!wanted.net) {
        printf("%s: skipped: %s is not known\n", field[0], field[1]);
        sums->skipped++;
        return;
    }
    if (wanted.classes < 1 || wanted.classes > 100000) {
        fail(sums, field[0], "its number of outputs");
        return;
    }
    snprintf(path, sizeof path, "%s/%s", folder, field[0]);
    snprintf(image, sizeof image, "%s/%s", data, field[4]);
    float *logits = tx_alloc((size_t)wanted.classes, sizeof *logits);
    if (!logits || !known(path, &wanted, &choice) || !logits_of(path, image, field[6], &choice, logits))
        fail(sums, field[0], tx_error_message());
    else if (!compare(sums, field[0], field[FIELDS], logits, (size_t)wanted.classes))
        fail(sums, field[0], "a row without a number for each output");
    tx_free(logits);
}

/* What is refused when it is opened, or when its numbers are read. */
static void check_refused(const char *folder, const char *name, tally *sums)
{
    char path[PATHS];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    sums->files++;
    sums->compared++;
    tx_tensor_file *file = weights_open(path);
    int taken = file != NULL;
    for (size_t i = 0; taken && i < tx_tensor_file_count(file); i++) {
        const tx_stored *t = tx_tensor_file_at(file, i);
        float *out = tx_alloc(t->count ? t->count : 1, sizeof(int64_t));
        taken = out && (tx_tensor_file_floats(file, t, out) == TX_OK ||
                        tx_tensor_file_integers(file, t, (int64_t *)(void *)out) == TX_OK);
        tx_free(out);
    }
    tx_tensor_file_close(file);
    if (taken || !tx_path_exists(path))
        fail(sums, name, taken ? "was not refused" : "is not there");
    else
        printf("%s: refused: %s\n", name, tx_error_message());
}

/* The lines of a file, each given to one of the two; -1 if it has none. */
static int each_line(const char *folder, const char *table, const char *data, tally *sums)
{
    char path[PATHS], *line = tx_alloc(LINE, 1);
    snprintf(path, sizeof path, "%s/%s", folder, table);
    FILE *file = line ? fopen(path, "r") : NULL;
    if (!file)
        fprintf(stderr, "weights: %s cannot be opened\n", path);
    int rows = file && data ? -1 : 0; /* the header is none */
    while (file && fgets(line, LINE, file)) {
        line[strcspn(line, "\r\n")] = 0;
        if (data && rows < 0 && strcmp(line, header)) {
            fprintf(stderr, "weights: %s: not a table \"%s\"\n", path, header);
            sums->failed++;
            break;
        }
        if (data && rows >= 0 && *line) {
            check_row(folder, data, line, sums);
        } else if (!data && *line) {
            line[strcspn(line, ":")] = 0;
            check_refused(folder, line, sums);
        }
        rows++;
    }
    if (file)
        fclose(file);
    tx_free(line);
    return rows > 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    tally sums = {0, 0, 0, 0};
    if (argc != 4 || strcmp(argv[2], "--data") || argv[1][0] == '-') {
        fprintf(stderr, "usage: weights DIR --data DATA\n");
        return 2;
    }
    int bad = each_line(argv[1], "expected.csv", argv[3], &sums) | each_line(argv[1], "refuse.txt", NULL, &sums);
    sums.failed += tx_alloc_spoiled() != 0;
    printf("%zu files, %zu values compared, %zu skipped, %zu failed\n", sums.files, sums.compared, sums.skipped,
           sums.failed);
    return bad || sums.failed ? 1 : 0;
}
