/* io_progress.c - the lines that a file and terminals of all widths receive, and durations. */
#define _XOPEN_SOURCE 700
#include "../io/io_private.h"
#include "test.h"
#include "io_temp.h"

#include <fcntl.h>
#include <sys/ioctl.h>

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

/* ------------------------------------------------------------------------------------------- widths */
/* 412 of 664 images, of which none were done before, after 20 s. */
static tx_progress example(const char *label)
{
    return (tx_progress){.label = label, .unit = "images", .total = 664, .done = 412, .began = 1000};
}

/* Whether the line consists of whole parts alone, each once and in order, a bar among them or not. */
static int whole(const char *line, const char *label)
{
    const char *const part[] = {label, "[", "412/664", "62%", "20.6 images/s", "0:12 left", "loss 0.4123"};
    for (int i = 0; i < 7; i++) {
        line += strspn(line, " ");
        if (strncmp(line, part[i], strlen(part[i])))
            continue;
        line += strlen(part[i]);
        if (i == 1) {
            line += strspn(line, "#");
            line += strspn(line, ".");
            if (*line++ != ']')
                return 0;
        }
        if (*line && *line != ' ')
            return 0;
    }
    return *line == 0;
}

static void widths(void)
{
    static const struct {
        size_t columns;
        const char *line;
    } known[] = {{3, ""},
                 {4, "62%"},
                 {19, "62%  0:12 left"},
                 {20, "train 62%  0:12 left"},
                 {38, "train 412/664 62%  0:12 left"},
                 {39, "train [####....] 412/664 62%  0:12 left"},
                 {79, "train [############........] 412/664 62%  20.6 images/s  0:12 left  loss 0.4123"}};
    char line[TX_PROGRESS_LINE];
    tx_progress p = example("train");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        tx_progress_format(&p, 1020, 0, "loss 0.4123", known[i].columns, line);
        CHECK(strcmp(line, known[i].line) == 0, "%zu columns: '%s', expected '%s'", known[i].columns, line,
              known[i].line);
    }
    static const char *const labels[] = {"train", "efficientnet_b0-1.pretrained.0"};
    for (int k = 0; k < 2; k++)
        for (size_t columns = 1; columns < 1100; columns++) {
            size_t most = columns < 1000 ? columns : 1000;
            p = example(labels[k]);
            tx_progress_format(&p, 1020, 0, "loss 0.4123", columns, line);
            CHECK(strlen(line) <= most && whole(line, labels[k]), "%zu columns: '%s'", columns, line);
            CHECK(columns < 4 || strstr(line, "62%"), "%zu columns without the share: '%s'", columns, line);
            CHECK(columns < 100 || (strlen(line) == most && strstr(line, "loss 0.4123") && strstr(line, "/s")),
                  "%zu columns are not used: '%s'", columns, line);
        }
    p.label =
        "a label of more than a hundred and twenty-eight bytes, which no line of a sensible width could hold, so that "
        "it is better left out than cut";
    tx_progress_format(&p, 1020, 1, NULL, 200, line);
    CHECK(strncmp(line, "[###", 4) == 0 && strstr(line, "412/664 62%  20.6 images/s  in 0:20"), "%s", line);
    /* The longest name of a study's job has room for what tells most. */
    p = example("12/49 mobilenet_v3_large.pretrained.0");
    tx_progress_whole(&p, 521);
    tx_progress_format(&p, 1020, 0, "loss 0.4123", 79, line);
    CHECK(strcmp(line, "12/49 mobilenet_v3_large.pretrained.0 [#####....] 412/664 62%  8:41 left in all") == 0, "'%s'",
          line);
}

/* -------------------------------------------------------------------------------- pseudo-terminals */
static int set_columns(int terminal, int columns)
{
    struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)columns};
    return ioctl(terminal, TIOCSWINSZ, &size);
}

/* All that the terminal has received, up to a mark that is written now; what is drawn next is shown at once. */
static void received(int master, FILE *to, tx_progress *p, char *out, size_t size)
{
    size_t n = 0;
    fputc('\x01', to);
    fflush(to);
    while (n + 1 < size && read(master, out + n, 1) == 1 && out[n] != '\x01')
        n++;
    out[n] = 0;
    p->shown -= 20;
}

/* The longest stretch without a return or a new line. */
static size_t longest(const char *text)
{
    size_t most = 0;
    for (size_t n; *text; text += n + (text[n] != 0)) {
        n = strcspn(text, "\r\n");
        most = n > most ? n : most;
    }
    return most;
}

static void on_terminal(int master, FILE *out)
{
    char text[4000];
    tx_progress p, inner;
    set_columns(master, 200);
    tx_progress_begin(&p, out, "train", "images", 664, 0);
    CHECK(p.terminal, "a terminal");
    p.shown -= 20;
    p.began -= 20;
    tx_progress_update(&p, 412, "loss 0.4123");
    received(master, out, &p, text, sizeof text);
    CHECK(longest(text) == 199, "200 columns: %zu are used: %s", longest(text), text);
    set_columns(master, 40);
    tx_progress_update(&p, 413, "loss 0.4123");
    received(master, out, &p, text, sizeof text);
    CHECK(strncmp(text, "\r\n\rtrain", 8) == 0 && strlen(text) <= 43, "a narrower terminal: a new line, not two: %s",
          text);
    /* Just as narrow as what stands there, and a column wider. */
    for (int more = 0; more < 2; more++) {
        size_t drawn = p.drawn;
        set_columns(master, (int)drawn + more);
        tx_progress_update(&p, 413, "loss 0.4123");
        received(master, out, &p, text, sizeof text);
        CHECK((strncmp(text, "\r\n", 2) == 0) == (more == 0), "%zu columns of %zu are drawn: %s", drawn,
              drawn + (size_t)more, text);
        set_columns(master, 40);
        tx_progress_update(&p, 413, "loss 0.4123");
        received(master, out, &p, text, sizeof text);
    }
    setenv("COLUMNS", "20", 1);
    tx_progress_update(&p, 414, "loss 0.4123");
    received(master, out, &p, text, sizeof text);
    CHECK(longest(text) <= 19 && strstr(text, "62%"), "COLUMNS=20: %s", text);
    setenv("COLUMNS", "400", 1);
    tx_progress_update(&p, 415, "loss 0.4123");
    received(master, out, &p, text, sizeof text);
    CHECK(longest(text) <= 39 && strstr(text, "415/664"), "COLUMNS is more than there is: %s", text);
    set_columns(master, 0);
    setenv("COLUMNS", "60", 1);
    tx_progress_update(&p, 416, NULL);
    received(master, out, &p, text, sizeof text);
    CHECK(longest(text) == 59, "a terminal that does not know its width: %zu, %s", longest(text), text);
    for (int columns = 3; columns > 0; columns--) {
        set_columns(master, columns);
        tx_progress_update(&p, 416, NULL);
        received(master, out, &p, text, sizeof text);
        CHECK(longest(text) <= (size_t)(columns > 1 ? columns - 1 : 1), "%d columns: %s", columns, text);
    }
    set_columns(master, 0);
    unsetenv("COLUMNS");
    tx_progress_update(&p, 417, NULL);
    received(master, out, &p, text, sizeof text);
    CHECK(longest(text) == 79, "nobody knows: %zu, %s", longest(text), text);

    /* Other work in between: its own line, then one that stays; the clock has stood. */
    double began = p.began;
    tx_progress_pause(&p);
    p.paused -= 1000;
    tx_progress_begin(&inner, out, "valid", "images", 10, 0);
    inner.shown -= 1;
    tx_progress_update(&inner, 5, NULL);
    tx_progress_clear(&inner);
    tx_progress_clear(&inner);
    tx_progress_say(&inner, "step 417: said");
    tx_progress_resume(&p);
    received(master, out, &p, text, sizeof text);
    const char *bar = strstr(text, "\rvalid ["), *said = strstr(text, "\rstep 417: said\r\n");
    CHECK(text[0] == '\r' && bar && said && bar < said && strspn(text + 1, " ") == 79, "in between: %s", text);
    CHECK(p.began >= began + 1000 && p.began < began + 1010, "the clock went on for %g s", p.began - began);
    tx_progress_end(&p, "evaluations 0:01");
    received(master, out, &p, text, sizeof text);
    CHECK(strstr(text, "\rtrain [") == text && strstr(text, "evaluations 0:01\r\n"), "the end: %s", text);
    setenv("TERM", "dumb", 1);
    tx_progress_begin(&p, out, "train", "images", 664, 0);
    CHECK(!p.terminal, "TERM=dumb is no terminal to draw on");
    setenv("TERM", "vt100", 1);
}

static void terminals(void)
{
    unsetenv("COLUMNS");
    setenv("TERM", "vt100", 1);
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    FILE *out = NULL;
    if (master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 && ptsname(master))
        out = fopen(ptsname(master), "r+");
    if (out)
        on_terminal(master, out);
    else
        printf("io_progress: this system gives no pseudo-terminal\n");
    if (out)
        fclose(out);
    if (master >= 0)
        close(master);
}

/* Elsewhere lines become more seldom the longer a job takes. */
static void seldom(void)
{
    FILE *f = fopen(temp_path("s"), "w+");
    tx_progress p;
    char text[400];
    tx_progress_begin(&p, f, "train", "images", 1000, 0);
    p.began -= 10000;
    p.shown -= 400;
    tx_progress_update(&p, 100, NULL);
    rewind(f);
    CHECK(fread(text, 1, sizeof text, f) == 0, "after 10,000 s a line 400 s later");
    p.shown -= 200;
    tx_progress_update(&p, 200, NULL);
    rewind(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = 0;
    CHECK(strncmp(text, "train: 200/1000 20%", 19) == 0, "after 10,000 s no line 600 s later: %s", text);
    fclose(f);
}

int main(void)
{
    char text[1000];
    if (!temp_begin())
        return test_done("io_progress");
    widths();
    terminals();
    seldom();
    durations();
    enum { TRIES = 20 };
    for (int i = 0; i < TRIES && lines(0, text, sizeof text) > 0.01; i++)
        continue;
    static const char plain[] = "train: 100/200 50%  2.50 images/s  0:40 left  loss 0.41\n"
                                "train: 200/200 100%  1.50 images/s  0:00 left\n"
                                "train: 200/200 100%  1.50 images/s  in 1:40\n";
    CHECK(strcmp(text, plain) == 0, "found\n%sexpected\n%s", text, plain);
    for (int i = 0; i < TRIES && lines(1, text, sizeof text) > 0.01; i++)
        continue;
    CHECK(strstr(text, "\rtrain [###########...........] 100/200 50%  2.50 images/s  0:40 left  loss 0.41\r"), "%s",
          text);
    CHECK(strstr(text, "\rtrain [##################################] 200/200 100%  1.50 images/s  in 1:40\n"), "%s",
          text);
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
