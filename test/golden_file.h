/* golden_file.h - any golden file: its first word says what it is. */
#ifndef THORAX_GOLDEN_FILE_H
#define THORAX_GOLDEN_FILE_H

#include "golden_cam.h"
#include "golden_op.h"
#include "golden_rng.h"

/* An error is one of the file as a whole: it is no golden file, or cut short, or garbled. */
static tx_status file_check(const text_file *text, report *r)
{
    if (text->lines == 0)
        return tx_fail(TX_ERR_FORMAT, "there is nothing in it");
    const text_line *line = &text->line[0];
    if (text_is(line, "format"))
        return net_file_check(text, r);
    if (text_is(line, "case"))
        return op_file_check(text, r);
    if (text_is(line, "rng") || text_is(line, "seed1") || text_is(line, "filled"))
        return rng_file_check(text, r);
    if (text_is(line, "cam"))
        return cam_file_check(text, r);
    return text_bad(line, "not a golden file");
}

#endif
