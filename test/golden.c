/* golden.c - compares Thorax with reference numbers that PyTorch made in double precision.
 *
 *     golden FILE...               what runs: float kernels, planned sessions
 *     golden --reference FILE...   the whole graph on doubles through the references
 *
 * A network file has the logits, loss, gradients and statistics of a network whose parameters and inputs follow from
 * their names; cam.txt has class activation maps of networks whose files lie beside it; an operator file has cases of single
 * operations; rng.txt has examples of the streams. Files are text, told apart by their first word. A line a file on standard output, at most ten failures a file on standard error,
 * at last "N files, M values compared, K skipped, F failed". Exit status 0, 1 if anything failed, 2 for wrong usage. What
 * is not known fails nothing; where that is all there is, a line on standard error says that nothing was compared. */
#include "golden_file.h"

static void file_run(report *r)
{
    text_file text;
    tx_status status = text_read(r->path, &text);
    if (status == TX_OK)
        status = file_check(&text, r);
    text_free(&text);
    if (status)
        r->failed++;
    printf("%s: %ld values compared, %ld skipped, %ld failed", r->path, r->compared, r->skipped, r->failed);
    if (r->compared)
        printf(", worst %.3g of its tolerance (%s)", r->worst, r->where);
    if (status)
        printf(": %s", tx_error_message());
    printf("\n");
    fflush(stdout);
}

/* Moves the files to the front of the arguments. Returns their number, or -1 for an option that is not known. */
static int options(int count, char **argument, int *reference, int *help)
{
    int files = 0, only_files = 0;
    for (int i = 1; i < count; i++) {
        const char *a = argument[i];
        if (only_files || a[0] != '-')
            argument[files++] = argument[i];
        else if (strcmp(a, "--") == 0)
            only_files = 1;
        else if (strcmp(a, "--reference") == 0)
            *reference = 1;
        else if (strcmp(a, "--help") == 0)
            *help = 1;
        else
            return -1;
    }
    return files;
}

int main(int count, char **argument)
{
    int reference = 0, help = 0, files = options(count, argument, &reference, &help);
    long compared = 0, skipped = 0, failed = 0;
    if (help || files < 1) {
        fputs("usage: golden [--reference] FILE...\n", help ? stdout : stderr);
        return help ? 0 : 2;
    }
    if (tx_isa_select(NULL)) {
        fprintf(stderr, "golden: %s\n", tx_error_message());
        return 1;
    }
    for (int i = 0; i < files; i++) {
        report r = {.path = argument[i], .reference = reference};
        file_run(&r);
        compared += r.compared;
        skipped += r.skipped;
        failed += r.failed;
    }
    fflush(stdout);
    if (compared + failed == 0)
        fprintf(stderr, "golden: nothing was compared, %ld records of kinds that this version does not know\n",
                skipped);
    failed += tx_alloc_spoiled() != 0;
    printf("%d files, %ld values compared, %ld skipped, %ld failed\n", files, compared, skipped, failed);
    return failed != 0;
}
