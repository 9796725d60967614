/* study_people.h - what a table of images says of whom they show. Private to bench. */
#ifndef THORAX_BENCH_STUDY_PEOPLE_H
#define THORAX_BENCH_STUDY_PEOPLE_H

#include "../io/io.h"

typedef enum study_sex { SEX_UNKNOWN, SEX_FEMALE, SEX_MALE, SEXES } study_sex;
typedef enum study_view { VIEW_UNKNOWN, VIEW_AP, VIEW_PA, VIEW_FRONTAL, VIEW_LATERAL, VIEW_SEVERAL, VIEWS } study_view;
enum { AGE_UNKNOWN = -1, AGE_BANDS = 5 }; /* age in years; bands: below 20, 20-39, 40-59, 60-79, 80 and above */
extern const char *const study_sex_name[SEXES], *const study_view_name[VIEWS], *const study_age_name[AGE_BANDS];

typedef struct study_person {
    study_sex sex;
    study_view view; /* of an image never VIEW_SEVERAL */
    int age;
} study_person;

/* The band of an age; -1 where it is unknown. */
int study_age_band(int age);
/* A person for each image of a table, in its order: from the columns Sex, Age, AP/PA as far as it has them. The caller's. */
tx_status study_people_read(const tx_dataset *d, study_person **people);
/* What a study is of which these are two images. */
study_view study_view_join(study_view a, study_view b);

#endif
