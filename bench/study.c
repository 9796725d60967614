/* study.c - what a study's jobs are called, where they stand, and which options of its own they take over. */
#include "study.h"
#include "../nets/nets.h"

#include <stdio.h>

const char *job_name(const study *s, const job *j, char out[128])
{
    tx_net_choice choice = {.net = tx_net_find(j->net), .cut = j->cut, .classes = 1, .size = 1};
    char net[64];
    snprintf(out, 128, "%s.%.20s.%llu", tx_net_choice_name(&choice, net), j->init, (unsigned long long)s->seed);
    return out;
}

char *job_folder(const study *s, const job *j)
{
    char name[128];
    return tx_path_join(s->out, job_name(s, j, name));
}

const char *const study_of_data[STUDY_OF_DATA + 1] = {"--tasks",      "--uncertain", "--blank",         "--views",
                                                      "--size",       "--resize",    "--interpolation", "--normalize",
                                                      "--bad-images", NULL};
