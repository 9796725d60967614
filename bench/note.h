/* note.h - files of lines `key = value`, the last one of which is the digest of those before it: the done mark of a run,
 * job.txt of a study's job. Private to bench. */
#ifndef THORAX_BENCH_NOTE_H
#define THORAX_BENCH_NOTE_H

#include "settings.h"

/* Appends a comment, which ends its line, and the lines; hex is the digest of both. */
tx_status note_print(tx_buffer *out, const settings *s, const char *begin, char hex[65]);
/* Writes them, and the line of their digest, sha256. */
tx_status note_write(const settings *s, const char *begin, const char *path);
/* Reads the lines; *whole: the last one is the digest of those before it. */
tx_status note_read(settings *s, const char *path, int *whole);

#endif
