/* verify_setup.c - the trainer of a run that is to be repeated: its own options, its data and initial weights, wherever they
 * are now. */
#include "bench.h"
#include "commands.h"
#include "environment.h"
#include "verify.h"

#include <string.h>

static int is_there(const char *path, tx_path_kind wanted)
{
    tx_path_kind kind;
    return tx_path_look(path, &kind) == TX_OK && kind == wanted;
}

/* --data; where the run had them; the sample, wherever that is. */
static int find_data(verification *v)
{
    char escaped[TX_TEXT];
    const char *given = option_text(v->o, "data"), *noted = settings_get(&v->config, "data");
    if (!noted)
        return complain(EXIT_FAILED, "%s/config.txt: names no data", tx_escape(escaped, sizeof escaped, v->folder));
    v->data = tx_strdup(given ? given : noted);
    if (v->data && !given && !is_there(noted, TX_PATH_FOLDER)) {
        char *sample = sample_folder();
        if (!sample || strcmp(last_part(noted), last_part(sample)) != 0) {
            tx_free(sample);
            return complain(EXIT_FAILED, "%s: the run's data are not there; --data DIR says where they are",
                            tx_escape(escaped, sizeof escaped, noted));
        }
        tx_free(v->data);
        v->data = sample;
    }
    return v->data ? EXIT_DONE : complain_failed();
}

/* OUT/weights/NAME, where a study keeps the weights that its jobs OUT/JOB began with. */
static char *beside(const char *folder, const char *name)
{
    char *up = tx_path_join(folder, ".."), *weights = up ? tx_path_join(up, "weights") : NULL;
    char *path = weights ? tx_path_join(weights, name) : NULL;
    tx_free(up);
    tx_free(weights);
    return path;
}

/* --init; where the run had the file; beside a study's jobs. */
static int find_init(verification *v)
{
    char escaped[TX_TEXT];
    const char *given = option_text(v->o, "init"), *noted = settings_get(&v->config, "init");
    int random = !noted || strcmp(noted, "random") == 0;
    if (random && given && strcmp(given, "random") != 0)
        return complain(EXIT_USAGE, "--init %s: the run began with random weights",
                        tx_escape(escaped, sizeof escaped, given));
    if (random)
        return EXIT_DONE;
    v->init = tx_strdup(given ? given : noted);
    if (v->init && !given && !is_there(noted, TX_PATH_FILE)) {
        tx_free(v->init);
        v->init = beside(v->folder, last_part(noted));
    }
    if (!v->init)
        return complain_failed();
    if (!given && !is_there(v->init, TX_PATH_FILE))
        return complain(EXIT_FAILED, "%s: the run's initial weights are not there; --init FILE says where they are",
                        tx_escape(escaped, sizeof escaped, noted));
    return EXIT_DONE;
}

/* The options of the run's own config.txt, with what lies elsewhere now. */
static int read_options(verification *v)
{
    char *argv[6] = {(char *)"--out", (char *)v->folder, (char *)"--data", v->data, (char *)"--init", v->init};
    int code = options_read(&v->of_run, command_find("train"), v->init ? 6 : 4, argv, v->noted.at.config);
    return code == EXIT_USAGE ? EXIT_FAILED : code;
}

/* Whether the tables and initial weights are those that the run was made with. */
static int check_identity(verification *v)
{
    char data[TX_TEXT], init[TX_TEXT], identity[65];
    settings config = {0};
    tx_status status = trainer_config(&v->t, &config, identity);
    settings_free(&config);
    if (status)
        return complain_failed();
    tx_escape(data, sizeof data, v->data);
    if (strcmp(identity, v->t.run.at.identity) != 0 && v->init)
        return complain(EXIT_FAILED,
                        "%s: its tables, or the initial weights %s, are not those that the run was made with", data,
                        tx_escape(init, sizeof init, v->init));
    if (strcmp(identity, v->t.run.at.identity) != 0)
        return complain(EXIT_FAILED, "%s: its tables are not those that the run was made with", data);
    if (v->t.total != v->t.run.at.total)
        return complain(EXIT_FAILED, "%s: notes %llu steps, its options ask for %llu",
                        tx_escape(data, sizeof data, v->folder), (unsigned long long)v->t.run.at.total,
                        (unsigned long long)v->t.total);
    return EXIT_DONE;
}

static int make_trainer(verification *v)
{
    trainer *t = &v->t;
    tx_buffer plan = {0};
    int code = trainer_read(t, &v->of_run, NULL);
    if (code != EXIT_DONE)
        return EXIT_FAILED;
    t->run = v->noted;
    memset(&v->noted, 0, sizeof v->noted);
    code = check_identity(v);
    if (code == EXIT_DONE && (trainer_describe(t, &plan) || trainer_weights(t)))
        code = complain_failed();
    tx_buffer_free(&plan);
    if (code == EXIT_DONE)
        code = trainer_images(t);
    trainer_carry(t);
    return code;
}

static tx_status read_tables(verification *v)
{
    char **text[2] = {&v->log, &v->metrics};
    const int file[2] = {RUN_LOG, RUN_METRICS};
    tx_status status = TX_OK;
    for (int i = 0; status == TX_OK && i < 2; i++) {
        size_t bytes;
        char *path = tx_path_join(v->folder, run_table_names[file[i]]);
        status = path ? tx_file_read(path, (size_t)1 << 30, (unsigned char **)text[i], &bytes) : TX_ERR_MEMORY;
        tx_free(path);
    }
    return status;
}

int verify_prepare(verification *v)
{
    int code = find_data(v);
    if (code == EXIT_DONE)
        code = find_init(v);
    say_quietly(1); /* what the run's options mean was said when it was made */
    if (code == EXIT_DONE)
        code = read_options(v);
    if (code == EXIT_DONE)
        code = make_trainer(v);
    say_quietly(option_on(v->o, "quiet"));
    if (code == EXIT_DONE && read_tables(v))
        code = complain_failed();
    return code;
}

void verify_free(verification *v)
{
    for (size_t i = 0; i < v->damages; i++)
        tx_free(v->damage[i].text);
    tx_free(v->damage);
    tx_free(v->row);
    tx_free(v->log);
    tx_free(v->metrics);
    tx_free(v->data);
    tx_free(v->init);
    settings_free(&v->config);
    trainer_free(&v->t);
    options_free(&v->of_run);
    run_leave(&v->noted);
    memset(v, 0, sizeof *v);
}
