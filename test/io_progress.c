/* io_progress.c - the lines that a file receives, and durations. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

static void durations(void)
{
    static const struct {
        double seconds;
        const char *text;
    } known[] = {{0, "0:00"},         {7.4, "0:07"},      {59.6, "1:00"}, {754, "12:34"}, {3600, "1:00:00"},
                 {3723.2, "1:02:03"}, {1e6, "277:46:40"}, {-1, "?"},      {1e30, "?"}};
    char out[TX_NUMBER];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        CHECK(strcmp(tx_duration(out, known[i].seconds), known[i].text) == 0, "%g s: %s, expected %s", known[i].seconds,
              out, known[i].text);
}

/* What a job of 200 images, 50 of them done before, leaves in a file; terminal: as on one. Returns how long it really took:
 * the clock that is shown runs on where the machine makes the program wait. */
static double lines(int terminal, char *out, size_t size)
{
    double start = tx_seconds();
    FILE *f = fopen(temp_path("p"), "w+");
    tx_progress p;
    tx_progress_begin(&p, f, "train", "images", 200, 50);
    CHECK(!p.terminal, "a file is no terminal");
    p.terminal = terminal;
    tx_progress_update(&p, 51, "at once: not shown");
    p.shown -= 20;
    p.began -= 20;
    tx_progress_update(&p, 100, "loss 0.41");
    p.shown -= 20;
    p.began -= 80;
    tx_progress_update(&p, 999, NULL);
    tx_progress_end(&p, NULL);
    tx_progress_stop(&p);
    rewind(f);
    size_t n = fread(out, 1, size - 1, f);
    out[n] = 0;
    fclose(f);
    return tx_seconds() - start;
}

int main(void)
{
    char text[1000];
    if (!temp_begin())
        return test_done("io_progress");
    durations();
    enum { TRIES = 20 };
    for (int i = 0; i < TRIES && lines(0, text, sizeof text) > 0.01; i++)
        continue;
    static const char plain[] = "train: 100/200  50%  2.50 images/s  0:40 left  loss 0.41\n"
                                "train: 200/200 100%  1.50 images/s  0:00 left\n"
                                "train: 200/200 100%  1.50 images/s  in 1:40\n";
    CHECK(strcmp(text, plain) == 0, "found\n%sexpected\n%s", text, plain);
    for (int i = 0; i < TRIES && lines(1, text, sizeof text) > 0.01; i++)
        continue;
    CHECK(strstr(text, "\rtrain [##########...........] 100/200  50%  2.50 images/s  0:40 left  loss 0.41\r"), "%s",
          text);
    CHECK(strstr(text, "\rtrain [########################] 200/200 100%  1.50 images/s  in 1:40"), "%s", text);
    CHECK(text[strlen(text) - 1] == '\n', "the line ends");
    tx_progress quiet;
    tx_progress_begin(&quiet, NULL, "quiet", "images", 3, 0);
    tx_progress_update(&quiet, 2, "note");
    tx_progress_end(&quiet, NULL);
    CHECK(quiet.done == 2, "quiet counts");
    tx_progress nothing;
    FILE *f = fopen(temp_path("n"), "w");
    tx_progress_begin(&nothing, f, "nothing", "images", 0, 0);
    tx_progress_end(&nothing, NULL);
    fclose(f);
    CHECK(temp_holds(temp_path("n"), "nothing: 0/0 100%  in 0:00\n", 27), "a job of nothing");
    temp_end();
    return test_done("io_progress");
}
