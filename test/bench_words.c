/* bench_words.c - words, lists and keys with values: at the edge of their room, of their limits, and where one begins as
 * another does. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"

#include "../bench/list.h"
#include "../bench/metrics.h"
#include "../bench/settings.h"
#include "../bench/words.h"

#include <math.h>

static void numbers(void)
{
    long whole = 7;
    double real = 7;
    uint64_t seed = 7;
    static const struct {
        const char *text;
        int fits;
    } wholes[] = {{"3", 1}, {"2", 0}, {"9", 1}, {"10", 0}, {"-3", 0}, {"+4", 1}, {"4.", 0}, {"", 0}};
    for (size_t i = 0; i < sizeof wholes / sizeof wholes[0]; i++)
        CHECK((parse_whole(wholes[i].text, 3, 9, &whole) == 0) == wholes[i].fits, "'%s' from 3 to 9", wholes[i].text);
    CHECK(whole == 4, "what is refused changes nothing: %ld", whole);
    CHECK(parse_whole("-2", -2, -2, &whole) == 0 && whole == -2, "one number alone fits");
    static const struct {
        const char *text;
        int fits;
    } reals[] = {{"0.5", 1}, {"0.49999999999999994", 0}, {"1.5", 1}, {"1.5000000000000002", 0}, {"nan", 0}, {"1e0", 1}};
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++)
        CHECK((parse_real(reals[i].text, 0.5, 1.5, &real) == 0) == reals[i].fits, "'%s' from 0.5 to 1.5",
              reals[i].text);
    CHECK(real == 1, "what is refused changes nothing: %g", real);
    /* A number that is too small to be told from 0, and zeros of all kinds. */
    CHECK(parse_real("1e-400", 0, 1, &real) == -1 && parse_real("0.0003e-999", 0, 1, &real) == -1, "not 0");
    CHECK(parse_real("0e12", 0, 1, &real) == 0 && real == 0 && parse_real("-0.0", 0, 1, &real) == 0 && real == 0, "0");
    CHECK(parse_seed("0", &seed) == 0 && seed == 0, "the first seed");
    CHECK(parse_seed("18446744073709551615", &seed) == 0 && seed == UINT64_MAX, "the last");
    CHECK(parse_seed("18446744073709551616", &seed) == -1 && parse_seed("18446744073709551620", &seed) == -1 &&
              parse_seed("99999999999999999999", &seed) == -1 && parse_seed("1a", &seed) == -1 &&
              parse_seed("/", &seed) == -1 && parse_seed(":", &seed) == -1 && parse_seed("+1", &seed) == -1,
          "beyond it");
    CHECK(seed == UINT64_MAX, "what is refused changes nothing");
}

static void items(void)
{
    struct {
        char text[5], behind;
    } room;
    for (size_t n = 0; n < 7; n++) {
        char text[32];
        snprintf(text, sizeof text, " %.*s\t,next", (int)n, "abcdefgh");
        const char *from = text;
        room.behind = '#';
        int got = next_item(&from, ',', room.text, sizeof room.text);
        CHECK(got == (n < 5 ? 1 : -1) && room.behind == '#', "an item of %zu in room of 5: %d", n, got);
        CHECK(n >= 5 || (strlen(room.text) == n && strncmp(room.text, "abcdefgh", n) == 0), "'%s'", room.text);
        CHECK(from && strcmp(from, "next") == 0, "what follows is %s", from ? from : "nothing");
    }
    const char *from = "a b;\t c\td ; ";
    char item[8];
    static const char *const wanted[] = {"a b", "c\td", ""};
    for (int i = 0; i < 3; i++)
        CHECK(next_item(&from, ';', item, sizeof item) == 1 && strcmp(item, wanted[i]) == 0, "item %d: '%s'", i, item);
    CHECK(next_item(&from, ';', item, sizeof item) == 0 && next_item(&from, ';', item, sizeof item) == 0, "the end");
    from = "";
    CHECK(next_item(&from, ';', item, sizeof item) == 1 && !*item && !from, "an empty list has an empty item");
    from = NULL;
    CHECK(next_item(&from, ';', item, sizeof item) == 0, "no list has none");
    word_list words;
    words_split(&words, "a|bc||d", '|');
    CHECK(words.count == 4 && !strcmp(words_at(&words, 1), "bc") && !*words_at(&words, 2) &&
              !strcmp(words_at(&words, 3), "d"),
          "%d words", words.count);
    words_split(&words, "0|1|2|3|4|5|6|7|8|9|a|b|c|d|e|f|g|h", '|');
    CHECK(words.count == WORDS_AT_MOST && strcmp(words_at(&words, WORDS_AT_MOST - 1), "f") == 0, "%d words",
          words.count);
    words_split(&words, "x", '|');
    CHECK(words.count == 1, "the list before is forgotten");
    double a, b;
    CHECK(betas_read("0.5, 0.25", &a, &b) == 0 && a == 0.5 && b == 0.25, "two numbers: %g %g", a, b);
    CHECK(betas_read("0,0", &a, &b) == 0 && a == 0 && b == 0, "both 0");
    static const char *const bad[] = {"",      "0.5",      "0.5,",        ",0.5",   "1,0.5",
                                      "0.5,1", "0.5,0.5,", "0.5,0.5,0.5", "-0.1,0", "0,1.5"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(betas_read(bad[i], &a, &b) == -1, "'%s' were taken for two numbers", bad[i]);
}

/* Columns 79 and 80 with the comma that may follow are the last ones. */
static void lists(void)
{
    for (int n = 1; n < 90; n++) {
        char item[100], wanted[300];
        tx_buffer t = {0};
        list l = {.to = &t, .head = "head:"};
        memset(item, 'x', sizeof item);
        item[n] = 0;
        list_end(&l);
        CHECK(t.length == 0, "an empty list says nothing");
        list_add(&l, "a");
        list_add(&l, item);
        list_add(&l, "b");
        list_end(&l);
        /* "head: a," are 8 columns, then a blank, the item and a comma */
        const char *first = 8 + 1 + n + 1 > 80 ? ",\n    " : ", ";
        int column = *(first + 1) == '\n' ? 4 + n : 9 + n;
        snprintf(wanted, sizeof wanted, "head: a%s%s%sb\n", first, item, column + 1 + 3 > 80 ? ",\n    " : ", ");
        CHECK(t.data && strcmp(t.data, wanted) == 0, "%d columns: found\n%sexpected\n%s", n, t.data, wanted);
        size_t length = t.length;
        list_end(&l);
        CHECK(t.length == length, "the end twice");
        tx_buffer_free(&t);
    }
}

static void pairs(void)
{
    settings s = {0};
    CHECK(!settings_get(&s, "a") && !settings_get(&s, ""), "nothing is there");
    CHECK(settings_set(&s, "net", "1") == TX_OK && settings_set(&s, "network", "2") == TX_OK &&
              settings_set(&s, "ne", "3") == TX_OK && settings_format(&s, "size", "%d", 4) == TX_OK,
          "%s", tx_error_message());
    CHECK(!strcmp(settings_get(&s, "net"), "1") && !strcmp(settings_get(&s, "network"), "2") &&
              !strcmp(settings_get(&s, "ne"), "3") && !strcmp(settings_get(&s, "size"), "4"),
          "keys that begin alike");
    CHECK(!settings_get(&s, "n") && !settings_get(&s, "networks") && !settings_get(&s, "Net"), "keys that are none");
    CHECK(settings_set(&s, "network", "5") == TX_OK && s.count == 4 && !strcmp(s.pair[1].value, "5") &&
              !strcmp(settings_get(&s, "net"), "1"),
          "a value is replaced where it stands");
    for (int i = 0; i < 40; i++) {
        char key[8];
        snprintf(key, sizeof key, "k%d", i);
        settings_format(&s, key, "%d", i);
    }
    CHECK(s.count == 44 && !strcmp(settings_get(&s, "k39"), "39") && !strcmp(settings_get(&s, "k3"), "3"), "many");
    for (long n = 0; n < 3; n++) {
        size_t count = s.count;
        tx_alloc_fail_after(n);
        tx_status status = settings_set(&s, n ? "new" : "net", "no memory");
        tx_alloc_fail_after(-1);
        CHECK(n == 2 || (status == TX_ERR_MEMORY && s.count == count && !strcmp(settings_get(&s, "net"), "1")),
              "allocation %ld fails: %d", n, (int)status);
    }
    settings_free(&s);
    CHECK(s.count == 0 && !s.pair, "nothing is left");
}

/* Whatever a value holds, it comes back from its line. */
static void lines(void)
{
    static const struct {
        const char *value, *line;
    } cases[] = {{"", ""},           {"a b", "a b"},        {" a", "\" a\""},     {"a ", "\"a \""},
                 {"\ta", "\"\ta\""}, {"a\t", "\"a\t\""},    {"\"a", "\"\\\"a\""}, {"a\"b\"", "a\"b\""},
                 {"a\\n", "a\\n"},   {"a\nb", "\"a\\nb\""}, {"a\r", "\"a\\r\""},  {"\\ ", "\"\\\\ \""},
                 {" ", "\" \""},     {"a = b", "a = b"},    {"#", "#"},           {"\"", "\"\\\"\""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tx_buffer t = {0};
        tx_buffer_append(&t, "");
        settings_quote(&t, cases[i].value);
        CHECK(strcmp(t.data, cases[i].line) == 0, "found %s, expected %s", t.data, cases[i].line);
        char *back = settings_unquote(t.data);
        CHECK(back && strcmp(back, cases[i].value) == 0, "%s comes back as %s", cases[i].line, back ? back : "nothing");
        tx_buffer_free(&t);
    }
    static const char *const broken[] = {"\"", "\"a", "\"a\\\"", "\"a\" ", "\"a\"b", "\"\\t\"", "\"\\", "\"a\\0\""};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        char text[16];
        snprintf(text, sizeof text, "%s", broken[i]);
        CHECK(!settings_unquote(text), "%s is taken", broken[i]);
    }
    static const char file[] = "# a = 1\nnet = resnet18\nempty = \n\nno equals\nb =2\nodd = \"x\\ny = z\"\nnet = last";
    char text[sizeof file];
    settings s = {0};
    memcpy(text, file, sizeof file);
    CHECK(settings_parse(&s, text, "f") == TX_OK && s.count == 3, "%zu keys", s.count);
    CHECK(!strcmp(settings_get(&s, "net"), "last") && !strcmp(settings_get(&s, "empty"), "") &&
              !strcmp(settings_get(&s, "odd"), "x\ny = z"),
          "other values");
    settings_free(&s);
    char bad[] = "a = 1\nb = \"2\nc = 3\n";
    CHECK(settings_parse(&s, bad, "f") == TX_ERR_FORMAT && strstr(tx_error_message(), "f: the value of b "), "%s",
          tx_error_message());
    CHECK(s.count == 1, "what stood before it");
    settings_free(&s);
    temp_text(temp_path("f"), "a = b\n");
    CHECK(settings_read(&s, temp_path("f")) == TX_OK && s.count == 1, "%s", tx_error_message());
    CHECK(settings_read(&s, temp_path("none")) == TX_ERR_FILE && s.count == 1, "no such file");
    settings_free(&s);
}

/* metrics.csv: a row is that of exactly this step, split and task. */
static void tables(void)
{
    metrics m;
    temp_text(temp_path("metrics.csv"), "step,split,task,positives,negatives,auc,low,high,method\n"
                                        "4,valid,Edema,2,3,0.75,0.5,0.875,delong-logit\n"
                                        "4,test,Edema,5,6,0.25,nan,,undefined\n"
                                        "44,valid,Edema,7,8,1,-0,1e3,x\n"
                                        "4,valid,\"Edema, old\",0,1,x,0,1,y\n"
                                        "4,valid,mean,nan,nan,0.75,nan,nan,mean-of-1\n");
    CHECK(metrics_read(&m, temp_folder) == TX_OK && m.rows == 5, "%zu rows: %s", m.rows, tx_error_message());
    const metric *r = metrics_find(&m, 4, 0, "Edema");
    CHECK(r == &m.row[0] && r->positives == 2 && r->negatives == 3 && r->auc == 0.75 && r->low == 0.5 &&
              r->high == 0.875 && !strcmp(r->method, "delong-logit"),
          "the first row");
    r = metrics_find(&m, 4, 1, "Edema");
    CHECK(r == &m.row[1] && isnan(r->low) && isnan(r->high) && r->auc == 0.25, "that of test");
    CHECK(metrics_find(&m, 44, 0, "Edema") == &m.row[2] && !metrics_find(&m, 44, 1, "Edema"), "that of another step");
    CHECK(metrics_find(&m, 4, 0, "Edema, old") == &m.row[3] && isnan(m.row[3].auc), "a longer name");
    CHECK(metrics_find(&m, 4, 0, "mean") == &m.row[4] && !metrics_find(&m, 4, 0, "mean6") &&
              !metrics_find(&m, 4, 0, "Ede") && !metrics_find(&m, 5, 0, "Edema"),
          "names that are none");
    metrics_free(&m);
    static const char *const bad[] = {"x,valid,a,1,1,1,1,1,m\n", "1,valid,a,1,1,1,1,1\n", "1,valid,a,1,1,1,1,1,m,n\n",
                                      "1,valid,\"a,1,1,1,1,1,m\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[100];
        snprintf(text, sizeof text, "head\n1,test,a,1,1,1,1,1,m\n%s", bad[i]);
        temp_text(temp_path("metrics.csv"), text);
        CHECK(metrics_read(&m, temp_folder) == TX_ERR_FORMAT && m.rows == 1, "%s is taken", bad[i]);
        metrics_free(&m);
    }
    CHECK(metrics_read(&m, temp_path("none")) == TX_ERR_FILE && m.rows == 0, "no table");
    metrics_free(&m);
    CHECK(isnan(table_real("")) && isnan(table_real("nan")) && isnan(table_real("inf")) && table_real("-0.5") == -0.5,
          "numbers of tables");
}

int main(void)
{
    if (!temp_begin())
        return test_done("bench_words");
    numbers();
    items();
    lists();
    pairs();
    lines();
    tables();
    temp_end();
    CHECK(tx_alloc_live() == 0, "%ld allocations not freed", tx_alloc_live());
    return test_done("bench_words");
}
