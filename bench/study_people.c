/* study_people.c - sex, age and view of the people on a table's images. */
#include "study_people.h"

#include <string.h>

const char *const study_sex_name[SEXES] = {"sex not stated", "female", "male"};
const char *const study_view_name[VIEWS] = {"view not stated", "AP", "PA", "frontal, else", "lateral", "several views"};
const char *const study_age_name[AGE_BANDS] = {"below 20 years", "20 to 39 years", "40 to 59 years", "60 to 79 years",
                                               "80 years and above"};

int study_age_band(int age)
{
    if (age == AGE_UNKNOWN)
        return -1;
    return age < 20 ? 0 : age < 40 ? 1 : age < 60 ? 2 : age < 80 ? 3 : 4;
}

study_view study_view_join(study_view a, study_view b)
{
    return a == b ? a : VIEW_SEVERAL;
}

enum { PATH, SEX, AGE, PROJECTION, COLUMNS };

static void find_columns(char **field, size_t fields, size_t at[COLUMNS])
{
    static const char *const name[COLUMNS] = {"Path", "Sex", "Age", "AP/PA"};
    for (int c = 0; c < COLUMNS; c++)
        for (at[c] = 0; at[c] < fields && strcmp(field[at[c]], name[c]); at[c]++)
            ;
}

static int age_of(const char *text)
{
    double age;
    return tx_number_parse(text, &age) == 0 && age >= 0 && age < 200 ? (int)age : AGE_UNKNOWN;
}

/* The table's own word for the projection; AP and PA are frontal. */
static study_view view_of(unsigned char view, const char *projection)
{
    if (view == TX_LATERAL)
        return VIEW_LATERAL;
    if (view != TX_FRONTAL)
        return VIEW_UNKNOWN;
    return strcmp(projection, "AP") == 0 ? VIEW_AP : strcmp(projection, "PA") == 0 ? VIEW_PA : VIEW_FRONTAL;
}

static void take_row(study_person *p, const tx_dataset *d, size_t i, char **field, size_t fields,
                     const size_t at[COLUMNS])
{
    const char *text[COLUMNS];
    for (int c = 0; c < COLUMNS; c++)
        text[c] = at[c] < fields ? field[at[c]] : "";
    p->sex = strcmp(text[SEX], "Female") == 0 || strcmp(text[SEX], "F") == 0 ? SEX_FEMALE
             : strcmp(text[SEX], "Male") == 0 || strcmp(text[SEX], "M") == 0 ? SEX_MALE
                                                                             : SEX_UNKNOWN;
    p->age = age_of(text[AGE]);
    p->view = view_of(d->view[i], text[PROJECTION]);
}

tx_status study_people_read(const tx_dataset *d, study_person **people)
{
    char **field, escaped[TX_TEXT];
    size_t fields, at[COLUMNS], taken = 0;
    tx_csv *csv = tx_csv_open(d->file);
    *people = NULL;
    if (!csv)
        return TX_ERR_FILE;
    study_person *p = tx_alloc(d->images, sizeof *p);
    tx_status status = p ? TX_OK : TX_ERR_MEMORY;
    int more = status == TX_OK ? tx_csv_next(csv, &field, &fields) : 0;
    if (more == 1)
        find_columns(field, fields, at);
    /* The images are some of the rows, in their order. */
    while (more == 1 && taken < d->images && (more = tx_csv_next(csv, &field, &fields)) == 1)
        if (at[PATH] < fields && strcmp(field[at[PATH]], d->path[taken]) == 0) {
            take_row(&p[taken], d, taken, field, fields, at);
            taken++;
        }
    if (status == TX_OK && more < 0)
        status = (tx_status)more;
    if (status == TX_OK && taken < d->images)
        status = tx_fail(TX_ERR_FILE, "%s: has changed while it was read", tx_escape(escaped, sizeof escaped, d->file));
    tx_csv_close(csv);
    if (status)
        tx_free(p);
    else
        *people = p;
    return status;
}
