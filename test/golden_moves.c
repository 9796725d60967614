/* golden_moves.c - the golden checker itself: a value moved by a few times its tolerance is noticed, one moved by a part of it
 * is not, for every kind of record, in the float and the double way; files that are cut short or garbled are refused. */
#include "golden_file.h"
#include "test.h"

/* The limits of every kind of record once more, written down apart from the checker: share of the reference value and share
 * of the largest value of the kind. */
typedef struct limit {
    const char *word;
    double own[2], largest[2]; /* in the float way, in the double way */
} limit;

static const limit limits[] = {
    {"eval", {0, 0}, {2e-5, 1e-9}},          {"train", {0, 0}, {3e-4, 1e-8}},       {"dlogit", {0, 0}, {3e-4, 1e-8}},
    {"loss", {3e-5, 1e-9}, {0, 0}},          {"stat", {5e-5, 1e-8}, {0, 0}},        {"task", {0, 0}, {3e-4, 1e-9}},
    {"ginput", {1e-2, 1e-8}, {2e-5, 1e-11}}, {"grad", {1e-2, 1e-8}, {2e-5, 1e-11}},
};

/* The tolerance of field i of a line, or 0 where only equality will do. n: the values of a gradient. */
static double limit_of(const net_file *f, const text_line *line, int i, size_t n)
{
    int way = f->report->reference, first = text_is(line, "grad") ? 2 : 1;
    for (size_t k = 0; k < sizeof limits / sizeof limits[0]; k++) {
        const limit *l = &limits[k];
        if (!text_is(line, l->word) || (text_is(line, "task") && i == 2))
            continue;
        double largest = text_is(line, "eval")                             ? f->largest_eval
                         : text_is(line, "dlogit")                         ? f->largest_dlogit
                         : text_is(line, "train") || text_is(line, "task") ? f->largest_train
                                                                           : f->largest_grad;
        if (n == 0 || i == first)
            return l->own[way] * fabs(net_wanted(line, n ? first : i)) + l->largest[way] * largest;
        double l2 = net_wanted(line, first);
        return n < 100 ? 3 * l->own[way] * l2 + l->largest[way] * largest
                       : (30 * l->own[way] * l2 + l->largest[way] * largest) / sqrt((double)n);
    }
    return 0;
}

/* Failed records once field i of a line is moved by `step`. */
static long moved(net_file *f, text_line *line, int i, double step)
{
    char text[40], *before = line->field[i];
    report r = {.path = f->report->path, .reference = f->report->reference, .quiet = 1}, *usual = f->report;
    snprintf(text, sizeof text, "%.17g", net_wanted(line, i) + step);
    line->field[i] = text;
    f->report = &r;
    net_compare(f);
    f->report = usual;
    line->field[i] = before;
    return r.failed;
}

static size_t gradient_count(const net_file *f, const text_line *line, const char *scope)
{
    char name[256];
    if (text_is(line, "ginput"))
        return net_image_count(f);
    if (!text_is(line, "grad"))
        return 0;
    snprintf(name, sizeof name, "%s%s", scope, line->field[1]);
    int p = tx_graph_find(f->graph, name);
    return p < 0 ? 1 : tx_graph_param(f->graph, p)->count;
}

static void check_line(net_file *f, text_line *line, const char *scope)
{
    const net_kind *kind = net_kind_of(line);
    size_t n = gradient_count(f, line, scope);
    int first = kind->per_class || text_is(line, "task") ? 2 : kind->numbers, step = kind->per_class ? 3 : 1;
    for (int i = first; i < line->fields; i += step) {
        double tolerance = limit_of(f, line, i, n);
        const char *way = f->report->reference ? "double" : "float";
        /* rounding noise that is 0 in exact arithmetic may stand anywhere within its tolerance */
        double inside = tolerance > 0 ? 0.7 * tolerance : 0, outside = tolerance > 0 ? 2.5 * tolerance : 1;
        CHECK(moved(f, line, i, outside) == 1 && moved(f, line, i, -outside) == 1,
              "%s, %s: %s line %d, field %d moved by %g is not noticed", f->report->path, way, line->field[0],
              line->number, i + 1, outside);
        CHECK(moved(f, line, i, inside) == 0 && moved(f, line, i, -inside) == 0,
              "%s, %s: %s line %d, field %d moved by %g is noticed", f->report->path, way, line->field[0], line->number,
              i + 1, inside);
    }
}

static void check_network(const char *path, int reference, int every)
{
    text_file text;
    report r = {.path = path, .reference = reference};
    net_file f = {.text = &text, .report = &r};
    tx_status status = text_read(path, &text);
    if (status == TX_OK)
        status = net_check(&f);
    if (status == TX_OK)
        status = net_run(&f, tx_net_find(f.net));
    CHECK(status == TX_OK, "%s: %s", path, tx_error_message());
    if (status == TX_OK) {
        net_compare(&f);
        CHECK(r.failed == 0 && r.skipped == 0 && r.worst < 0.3, "%s: %ld failed, %ld skipped, worst %g", path, r.failed,
              r.skipped, r.worst);
        const char *scope = "";
        for (size_t i = 0; i < text.lines; i++) {
            text_line *line = &text.line[i];
            if (text_is(line, "scope"))
                scope = strcmp(line->field[1], "-") ? line->field[1] : "";
            int many = text_is(line, "grad") || text_is(line, "stat") || text_is(line, "task");
            if (net_kind_of(line)->compared && (!many || (int)i % every == 0))
                check_line(&f, line, scope);
        }
    }
    net_free(&f);
    text_free(&text);
}

/* ------------------------------------------------------------------------------------------ operators */

static double operator_limit(const op_case *c, const case_tensor *t, size_t k)
{
    double largest = 0, own = fabs(t->value[k]);
    for (size_t i = 0; i < t->count; i++)
        largest = fmax(largest, fabs(t->value[i]));
    if (c->report->reference)
        return 1e-10 * largest;
    if (strncmp(c->name, "act_", 4) == 0 || strcmp(t->name, "each") == 0)
        return fmax(1e-6, 1e-5 * own);
    return strcmp(c->name, "bn_c_train") == 0 && strcmp(t->name, "gx") == 0 ? 1e-6 : 1e-5 * largest;
}

static long moved_case(op_case *c, double *value, double to)
{
    double before = *value;
    report r = {.path = c->report->path, .reference = c->report->reference, .quiet = 1}, *usual = c->report;
    c->report = &r;
    *value = to;
    case_compare(c);
    *value = before;
    c->report = usual;
    return r.failed;
}

static void check_case(op_case *c)
{
    tx_status status = TX_OK;
    if (!op_case_run(c, &status))
        return;
    CHECK(status == TX_OK, "%s: %s", c->name, tx_error_message());
    for (int i = 0; i < c->tensors && status == TX_OK; i++) {
        case_tensor *t = &c->tensor[i];
        for (size_t k = 0; t->wanted && t->got && k < t->count; k += t->count / 3 + 1) {
            double tolerance = operator_limit(c, t, k), at = t->value[k];
            double outside = tolerance > 0 ? 3 * tolerance : 1e-30;
            CHECK(moved_case(c, &t->value[k], at + outside) >= 1 && moved_case(c, &t->value[k], at - outside) >= 1,
                  "%s: %s[%d] moved by %g is not noticed", c->name, t->name, (int)k, outside);
            CHECK(moved_case(c, &t->value[k], at + 0.4 * tolerance) == 0, "%s: %s[%d] moved by %g is noticed", c->name,
                  t->name, (int)k, 0.4 * tolerance);
        }
    }
}

static void check_operators(const char *path, int reference, int every)
{
    text_file text;
    report r = {.path = path, .reference = reference, .quiet = 1};
    op_case c = {.report = &r};
    int number = 0;
    CHECK(text_read(path, &text) == TX_OK && text.lines > 0, "%s: %s", path, tx_error_message());
    for (size_t i = 0; i < text.lines; i++) {
        const text_line *line = &text.line[i];
        if (text_is(line, "case")) {
            c.name = line->field[1];
        } else if (text_is(line, "op")) {
            c.op = line->field[1];
        } else if (text_is(line, "end")) {
            if (number++ % every == 0)
                check_case(&c);
            case_free(&c);
        } else {
            CHECK(case_line(&c, line) == TX_OK, "%s: %s", path, tx_error_message());
        }
    }
    text_free(&text);
}

/* ----------------------------------------------------------------------------------------------- maps */

static long moved_map(cam_net *c, text_line *line, int i, double step, const double *raw)
{
    char text[40], *before = line->field[i];
    report r = {.path = c->f.report->path, .reference = c->f.report->reference, .quiet = 1}, *usual = c->f.report;
    snprintf(text, sizeof text, "%.17g", net_wanted(line, i) + step);
    line->field[i] = text;
    c->f.report = &r;
    cam_values(c, line, "cam", raw);
    c->f.report = usual;
    line->field[i] = before;
    return r.failed;
}

static void check_map(cam_net *c, text_line *line)
{
    int n = (int)net_wanted(line, 2), reference = c->f.report->reference;
    size_t area = (size_t)c->features->h * (size_t)c->features->w;
    double *raw = tx_alloc(area, sizeof *raw), l2 = net_wanted(line, 6);
    tx_status status = cam_map(c, n, (int)net_wanted(line, 3), raw);
    CHECK(status == TX_OK, "line %d: %s", line->number, tx_error_message());
    for (int i = 4; i < CAM_FIELDS; i++) {
        double sample = (reference ? 1e-8 : 1e-3) * l2 / sqrt((double)area);
        double tolerance = i < 6 ? 0 : i == 6 ? (reference ? 1e-8 : 1e-4) * l2 : sample;
        double outside = i < 6 ? 1 : 2.5 * tolerance;
        CHECK(moved_map(c, line, i, outside, raw) == 1 && moved_map(c, line, i, -outside, raw) == 1,
              "map on line %d, field %d moved by %g is not noticed", line->number, i + 1, outside);
        CHECK(moved_map(c, line, i, 0.7 * tolerance, raw) == 0 && moved_map(c, line, i, -0.7 * tolerance, raw) == 0,
              "map on line %d, field %d moved by %g is noticed", line->number, i + 1, 0.7 * tolerance);
    }
    tx_free(raw);
}

/* The maps of one network, and lines that name what it does not have. */
static void check_maps(const char *path, const char *file, int reference)
{
    text_file text;
    report r = {.path = path, .reference = reference, .quiet = 1};
    cam_net c = {0};
    int known = 0, maps = 0;
    CHECK(text_read(path, &text) == TX_OK && cam_check(&text) == TX_OK, "%s: %s", path, tx_error_message());
    CHECK(cam_open(&c, file, &r, &known) == TX_OK && known, "%s: %s", file, tx_error_message());
    for (size_t i = 0; i < text.lines && known; i++) {
        text_line *line = &text.line[i];
        if (strcmp(line->field[1], file))
            continue;
        check_map(&c, line);
        maps++;
        for (int k = 2; k < 4; k++) {
            char *before = line->field[k];
            long failed = r.failed;
            line->field[k] = (char *)"14";
            CHECK(cam_line(&c, line, "cam") == TX_OK && r.failed == failed + 1, "field %d is 14: taken", k + 1);
            line->field[k] = before;
        }
    }
    CHECK(maps == 2, "%s has %d maps of %s", path, maps, file);
    cam_close(&c);
    text_free(&text);
}

/* ---------------------------------------------------------------------------------------------- files */

/* Checks a text as if it were a file. */
static tx_status check_text(const char *content, size_t bytes, report *r)
{
    text_file text;
    char *copy = tx_alloc(bytes + 1, 1);
    memcpy(copy, content, bytes);
    *r = (report){.path = "text", .quiet = 1};
    tx_status status = text_parse(copy, &text);
    if (status == TX_OK)
        status = file_check(&text, r);
    text_free(&text);
    return status;
}

#define HEAD "format 1\nnet resnet18-3\nclasses 2\ninput 1 3 9 9\nseed 0\ngain 1 1 1 0.5\n"
#define CASE "case c\nop relu\n"

static void check_refused(void)
{
    static const char *const refused[] = {
        "",
        "\n\n",
        "# only a comment\n",
        "hello\n",
        "format 2\n",
        "format 1\n",
        "format\n",
        HEAD,
        HEAD "eval 0 1\nend\n",
        HEAD "eval 0 1 x\nend\n",
        HEAD "eval 0 1 nan\nend\n",
        HEAD "loss 1 2\nend\n",
        HEAD "grad a 1 2 3\nend\n",
        HEAD "loss 1e999\nend\n",
        "format 1\nnet resnet18\nclasses 0\ninput 1 3 9 9\nseed 0\ngain 1 1 1 1\nend\n",
        "format 1\nnet resnet18\nclasses 2\ninput 1 4 9 9\nseed 0\ngain 1 1 1 1\nend\n",
        "format 1\nnet resnet18\nclasses 2\ninput 4000 3 60000 60000\nseed 0\ngain 1 1 1 1\nend\n",
        "format 1\nnet resnet18\nclasses 2\ninput 1 3 9 9\nseed -1\ngain 1 1 1 1\nend\n",
        "format 1\nnet resnet18-x\nclasses 2\ninput 1 3 9 9\nseed 0\ngain 1 1 1 1\nend\n",
        "format 1\nnet resnet18-9\nclasses 2\ninput 1 3 9 9\nseed 0\ngain 1 1 1 1\nend\n",
        "case c\n",
        "case c\nend\n",
        CASE,
        CASE "case d\n",
        CASE "fill x 0 1 9 1 1 1 1 1 1 1 1 1\nend\n",
        CASE "fill x 0 1 4 99999 99999 99999 99999\nend\n",
        CASE "data x 1 3 1 2\nend\n",
        CASE "data x 1 2 1 b\nend\n",
        CASE "fill x 0 1 1 2\nfill x 0 1 1 2\nend\n",
        CASE "fill x 0 1 1 0\nend\n",
        CASE "int k\nend\n",
        CASE "want y 1\nend\n",
        "rng \"a\" 1 2 3\n",
        "rng a af63dc4c8601ec8c 1 2 3 0 0 0 4\n",
        "filled w\n",
        "filled w 4x 1 2 3 4 5 6\n",
        "filled w 0x3 1 2 3 4 5 6\n",
        "cam a.txt 0 0 1 1 1 1 1\n",
        "cam a.txt 0 0 1 1 1 1 1 x\n",
        "cam a.txt -1 0 1 1 1 1 1 1\n",
        "cam a.txt 0 0 1 1 1 1 1 1\nhello\n",
        "filled w 4x3x3x3x3 1 2 3 4 5 6\n",
    };
    report r;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const char *text = refused[i];
        tx_status status = check_text(text, strlen(text), &r);
        CHECK(status != TX_OK && strlen(tx_error_message()) > 5 && !strchr(tx_error_message(), '\n'),
              "text %d was taken: %.60s", (int)i, text);
    }
    /* what is wrong within a case or with a record fails that alone; what is not known is skipped */
    static const struct {
        const char *text;
        long failed, skipped;
    } counted[] = {
        {CASE "want y 1 2 1 2\nend\n", 1, 0},
        {CASE "fill x 0 1 1 3\nwant y 1 2 1 2\nend\n", 1, 0},
        {CASE "fill x 0 1 1 3\nfill dy 0 1 1 2\nwant gx 1 3 1 2 3\nend\n", 1, 0},
        {CASE "data x 1 1 2\nwant y 1 1 2\nwant z 1 1 2\nend\n", 0, 1},
        {CASE "data x 1 1 2\nhue 3\nwant y 1 1 2\nend\n", 0, 1},
        {"case c\nop conv2d\nfill x 0 1 4 1 2 3 3\nfill w 0 1 4 1 3 1 1\nwant y 0 1\nend\n", 1, 0},
        {"case c\nop attention\nwant y 0 1\nwant gx 0 1\nend\n", 0, 2},
        {HEAD "grad nothing.weight 1 2 3 4\nend\n", 1, 0},
        {HEAD "grad bn1.running_mean 1 2 3 4\nend\n", 1, 0},
        {HEAD "eval 1 0 0\nend\n", 1, 0},
        {HEAD "task 2 0 0\nend\n", 1, 0},
        {HEAD "aura 1 0 0\nend\n", 0, 1},
        {HEAD "act a 4 1 2\n# comment\nend\n", 0, 0},
        {"format 1\nnet transformer\nclasses 2\ninput 1 3 9 9\nseed 0\ngain 1 1 1 1\nparams 5\nact a\nloss 3\nend\n", 0,
         2},
        {"rng \"a\" af63dc4c8601ec8d 5f29c2aadd9b8527 ff84f1bdb6d3884f fdfab147e960346e -0.25653815269470215 "
         "0.99624454975128174 "
         "0.98421299457550049 cb9fb5a76ead1a69\n",
         1, 0},
        {"rng \"a\" af63dc4c8601ec8c 5f29c2aadd9b8527 ff84f1bdb6d3884f fdfab147e960346e -0.25653815269470215 "
         "0.99624454975128174 "
         "0.98421299457550049 cb9fb5a76ead1a69\n",
         0, 0},
        {"cam nowhere.txt 0 0 1 1 1 1 1 1\n", 1, 0},
        {"cam test/golden/resnet18-3_64x64_b2.txt 0 0 16 16 1 1 1 1\n", 1, 0},
        {"filled fc.gamma 2x3 1 2 3 4 5 6\n", 1, 0},
        {"filled fc.bias 2 0.1 0.1 3 4\n", 1, 0},
    };
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++) {
        tx_status status = check_text(counted[i].text, strlen(counted[i].text), &r);
        CHECK(status == TX_OK && r.failed == counted[i].failed && r.skipped == counted[i].skipped,
              "counted text %d: %ld failed, %ld skipped, expected %ld, %ld: %s", (int)i, r.failed, r.skipped,
              counted[i].failed, counted[i].skipped, status ? tx_error_message() : "");
    }
}

/* A file cut at any place is refused; bytes changed at random do no harm. */
static void check_damaged(const char *path)
{
    char *bytes = NULL;
    report r;
    CHECK(text_load(path, &bytes) == TX_OK, "%s: %s", path, tx_error_message());
    size_t size = strlen(bytes);
    for (size_t cut = 0; cut + 4 < size; cut += size / 61 + 1) {
        tx_status status = check_text(bytes, cut, &r);
        int between = cut > 4 && strncmp(bytes + cut - 4, "end\n", 4) == 0;
        CHECK(status != TX_OK || between, "%s was taken when cut after %d bytes", path, (int)cut);
    }
    for (uint64_t turn = 0; turn < 60; turn++) {
        char *copy = tx_alloc(size + 1, 1);
        memcpy(copy, bytes, size);
        for (uint64_t k = 0; k < 4; k++) {
            uint32_t at = tx_random_below(5, TX_RANDOM_TEST, turn, 2 * k, (uint32_t)size);
            copy[at] = (char)(1 + tx_random_below(5, TX_RANDOM_TEST, turn, 2 * k + 1, 127));
        }
        check_text(copy, size, &r);
        tx_free(copy);
    }
    tx_free(bytes);
}

int main(void)
{
    tx_set_threads(1);
    for (int reference = 0; reference < 2; reference++) {
        check_network("test/golden/resnet18-3_64x64_b2.txt", reference, 3);
        check_maps("test/golden/cam.txt", "resnet18-3_64x64_b2.txt", reference);
        check_operators("test/golden/op_conv.txt", reference, 2);
        check_operators("test/golden/op_norm_pool.txt", reference, 1);
        check_operators("test/golden/op_misc.txt", reference, 1);
        check_operators("test/golden/op_loss.txt", reference, 1);
        check_operators("test/golden/op_optim.txt", reference, 1);
    }
    check_refused();
    check_damaged("test/golden/op_optim.txt");
    check_damaged("test/golden/op_loss.txt");
    CHECK(tx_alloc_live() == 0, "%ld allocations are left", tx_alloc_live());
    return test_done("golden_moves");
}
