/* quota.c - how much of the processors' time a container leaves to the process.
 *
 * Linux gives a group of processes so many microseconds of processor time a period (Documentation/admin-guide/cgroup-v2.rst,
 * "cpu.max"; scheduler/sched-bwc.rst for version 1). A process is bound by its group's quota and by those of all groups
 * above. /proc/self/cgroup names the group, a line a hierarchy, as its path in the hierarchy; /proc/self/mountinfo says
 * where a hierarchy, or the part of it that begins at some group, is mounted (proc(5)). */
#include "core.h"
#include "quota.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 4096 }; /* path, and line; longer ones are of no such hierarchy */

/* The hierarchy that has the processors, in one of the two versions. */
typedef struct hierarchy {
    char group[LONGEST]; /* of the process; empty: the version has no such hierarchy */
    double within;       /* the least quota of the groups above and including it; 0: none */
    double elsewhere;    /* of mounts that do not contain the group as it is named */
    int contained;       /* whether some mount does */
} hierarchy;

static double lesser(double a, double b)
{
    return b > 0 && (a <= 0 || b < a) ? b : a;
}

/* The next of the words with blanks between, ended by a zero; NULL behind the last. */
static char *next_word(char **from)
{
    char *word = *from + strspn(*from, " \t\n");
    size_t n = strcspn(word, " \t\n");
    if (n == 0)
        return NULL;
    *from = word + n + (word[n] != 0);
    word[n] = 0;
    return word;
}

/* A number above 0; 0 for what else may stand there: "max", -1. */
static double microseconds(const char *word)
{
    char *end;
    errno = 0;
    long long value = word ? strtoll(word, &end, 10) : 0;
    return word && *word && !*end && !errno && value > 0 ? (double)value : 0;
}

/* The first line of FOLDER/NAME, "" where it cannot be read. */
static char *first_line(const char *folder, const char *name, char line[64])
{
    char path[LONGEST + 64];
    FILE *f = snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path ? fopen(path, "r") : NULL;
    if (!f || !fgets(line, 64, f))
        line[0] = 0;
    if (f)
        fclose(f);
    return line;
}

/* Of one group, in processors; 0 if it has none. */
static double quota_of(const char *folder, int version)
{
    char line[64], *words = first_line(folder, version == 2 ? "cpu.max" : "cpu.cfs_quota_us", line);
    double quota = microseconds(next_word(&words));
    if (version == 1)
        words = first_line(folder, "cpu.cfs_period_us", line);
    double period = microseconds(next_word(&words));
    return period > 0 ? quota / period : 0;
}

/* The least of the quotas from the folder up to the mount, whose name has `least` bytes. */
static double climb(char *folder, size_t least, int version)
{
    double quota = quota_of(folder, version);
    while (strlen(folder) > least) {
        *strrchr(folder, '/') = 0;
        quota = lesser(quota, quota_of(folder, version));
    }
    return quota;
}

/* A mount that shows the hierarchy from `top` on. Where the group lies elsewhere (a container's own names for groups do
 * not reach to the mount) what is mounted is most often the container's own group. */
static void look_at(hierarchy *h, int version, const char *root, const char *top, const char *mount)
{
    char folder[LONGEST];
    size_t n = strcmp(top, "/") ? strlen(top) : 0;
    const char *rest = h->group + n;
    int inside = strncmp(h->group, top, n) == 0 && (*rest == '/' || !*rest) && !strstr(rest, "/..");
    if (!h->group[0])
        return;
    if (!inside || strcmp(rest, "/") == 0)
        rest = "";
    if (snprintf(folder, sizeof folder, "%s%s%s", root, mount, rest) >= (int)sizeof folder)
        return;
    double quota = climb(folder, strlen(root) + strlen(mount), version);
    h->contained |= inside;
    if (inside)
        h->within = lesser(h->within, quota);
    else
        h->elsewhere = lesser(h->elsewhere, quota);
}

/* Blanks and backslashes of paths stand as \ooo in mountinfo. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *p = text; *p; to++) {
        unsigned code;
        int octal = *p == '\\' && strspn(p + 1, "01234567") >= 3 && sscanf(p + 1, "%3o", &code) == 1;
        *to = octal ? (char)code : *p;
        p += octal ? 4 : 1;
    }
    *to = 0;
}

static int lists(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = list; p; p = strchr(p, ','), p = p ? p + 1 : NULL)
        if (strncmp(p, name, n) == 0 && (p[n] == ',' || !p[n]))
            return 1;
    return 0;
}

/* "ID:CONTROLLERS:PATH", without controllers in version 2. */
static void read_group(hierarchy h[2], char *line)
{
    char *list = strchr(line, ':'), *path = list ? strchr(list + 1, ':') : NULL;
    if (!path)
        return;
    *path++ = 0;
    hierarchy *mine = lists(list + 1, "cpu") ? &h[0] : strcmp(line, "0:") == 0 ? &h[1] : NULL;
    if (mine)
        memcpy(mine->group, path, strlen(path) + 1);
}

/* "ID PARENT DEVICE TOP MOUNT OPTIONS [FIELD]... - TYPE SOURCE OPTIONS" */
static void read_mount(hierarchy h[2], const char *root, char *line)
{
    char *word[5], *next = line;
    for (int i = 0; i < 5; i++)
        if (!(word[i] = next_word(&next)))
            return;
    const char *each = next_word(&next);
    while (each && strcmp(each, "-"))
        each = next_word(&next);
    const char *type = next_word(&next), *source = next_word(&next), *options = next_word(&next);
    int second = type && strcmp(type, "cgroup2") == 0;
    if (!source || !options || (!second && (strcmp(type, "cgroup") || !lists(options, "cpu"))))
        return;
    unescape(word[3]);
    unescape(word[4]);
    look_at(&h[second], second + 1, root, word[3], word[4]);
}

/* Calls read_group, or with mounts read_mount, for each line that is not too long. */
static void read_lines(hierarchy h[2], const char *root, int mounts)
{
    char line[LONGEST];
    int cut = 0;
    snprintf(line, sizeof line, "%s/proc/self/%s", root, mounts ? "mountinfo" : "cgroup");
    FILE *f = fopen(line, "r");
    while (f && fgets(line, sizeof line, f)) {
        size_t n = strcspn(line, "\n");
        int whole = line[n] == '\n' && !cut;
        cut = line[n] != '\n';
        line[n] = 0;
        if (whole && mounts)
            read_mount(h, root, line);
        else if (whole)
            read_group(h, line);
    }
    if (f)
        fclose(f);
}

double tx_quota_below(const char *root)
{
    hierarchy h[2];
    double least = 0;
    memset(h, 0, sizeof h);
    read_lines(h, root, 0);
    read_lines(h, root, 1);
    for (int i = 0; i < 2; i++)
        least = lesser(least, h[i].contained ? h[i].within : h[i].elsewhere);
    return least;
}

double tx_quota(void)
{
    return tx_quota_below("");
}
