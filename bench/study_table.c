/* study_table.c - the models of a study. */
#include "study_table.h"

#include <string.h>

const study_model *study_find(const study_table *t, const char *net, int cut, int pretrained)
{
    for (size_t i = 0; i < t->models; i++) {
        const study_model *m = &t->model[i];
        if (strcmp(m->net, net) == 0 && m->cut == cut && m->pretrained == pretrained)
            return m;
    }
    return NULL;
}
