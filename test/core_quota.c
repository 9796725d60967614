/* core_quota.c - the quota of processors that made-up trees of control groups give. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "io_temp.h"
#include "../core/quota.h"

/* Writes a file of the tree, with the folders above it. */
static void put(const char *name, const char *text)
{
    char *path = tx_path_join(temp_folder, name), *folder = tx_strdup(path);
    *strrchr(folder, '/') = 0;
    CHECK(tx_folder_make(folder) == TX_OK, "%s", tx_error_message());
    temp_text(path, text);
    tx_free(folder);
    tx_free(path);
}

static void begin(const char *groups, const char *mounts)
{
    temp_remove(temp_folder);
    put("proc/self/cgroup", groups);
    put("proc/self/mountinfo", mounts);
}

static void expect(double wanted, const char *what)
{
    double got = tx_quota_below(temp_folder);
    CHECK(got == wanted, "%s: %.9g, expected %.9g", what, got, wanted);
}

static const char unified[] = "23 28 0:21 / /proc rw,nosuid shared:14 - proc proc rw\n"
                              "29 24 0:26 / /sys/fs/cgroup rw,nosuid,nodev shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

static void second_version(void)
{
    temp_remove(temp_folder);
    expect(0, "nothing there");
    begin("0::/a/b/c\n", unified);
    expect(0, "no files");
    put("sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
    expect(0, "max");
    put("sys/fs/cgroup/a/b/c/cpu.max", "150000 100000\n");
    expect(1.5, "its own");
    put("sys/fs/cgroup/a/cpu.max", "50000 40000\n");
    expect(1.25, "less above it");
    put("sys/fs/cgroup/a/b/cpu.max", "500000 50000\n");
    expect(1.25, "more above it");
    put("sys/fs/cgroup/cpu.max", "1000 100000\n");
    expect(0.01, "at the mount");
    put("sys/fs/cgroup/cpu.max", "max\n");
    put("sys/fs/cgroup/x/cpu.max", "1000 100000\n");
    expect(1.25, "another group's");
    /* What is no quota is none. */
    static const char *const odd[] = {"",
                                      "\n",
                                      "0 100000\n",
                                      "-1 100000\n",
                                      "5\n",
                                      "5 0\n",
                                      "5x 10\n",
                                      "100000 max\n",
                                      "1e5 100000\n",
                                      "5 -10\n",
                                      "max",
                                      " \n5 10\n",
                                      "99999999999999999999 100000\n"};
    put("sys/fs/cgroup/a/cpu.max", "max 100000");
    put("sys/fs/cgroup/a/b/cpu.max", "200000\t100000");
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        put("sys/fs/cgroup/a/b/c/cpu.max", odd[i]);
        expect(2, odd[i]);
    }
    begin("0::/\n", unified);
    put("sys/fs/cgroup/cpu.max", "250000 100000\n");
    expect(2.5, "a container's own root");
    begin("0::/../other\n", unified);
    put("sys/fs/cgroup/cpu.max", "250000 100000\n");
    put("sys/fs/other/cpu.max", "100000 100000\n");
    expect(2.5, "a group outside the namespace");
}

static void first_version(void)
{
    static const char groups[] = "12:cpuset:/d/x\n4:cpu,cpuacct:/d/x\n3:cpuacct:/other\n1:name=systemd:/d/x\n";
    static const char mounts[] =
        "30 24 0:27 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
        "31 24 0:28 / /sys/fs/cgroup/cpu\\040and\\134acct rw,nosuid shared:9 master:3 - cgroup cgroup rw,cpu,cpuacct\n";
    begin(groups, mounts);
    put("sys/fs/cgroup/cpuset/d/x/cpu.cfs_quota_us", "1000\n");
    put("sys/fs/cgroup/cpuset/d/x/cpu.cfs_period_us", "1000\n");
    put("sys/fs/cgroup/cpu and\\acct/d/x/cpu.cfs_quota_us", "-1\n");
    put("sys/fs/cgroup/cpu and\\acct/d/x/cpu.cfs_period_us", "100000\n");
    expect(0, "-1");
    put("sys/fs/cgroup/cpu and\\acct/d/x/cpu.cfs_quota_us", "350000\n");
    expect(3.5, "its own");
    put("sys/fs/cgroup/cpu and\\acct/d/cpu.cfs_quota_us", "300000\n");
    expect(3.5, "a quota without a period");
    put("sys/fs/cgroup/cpu and\\acct/d/cpu.cfs_period_us", "100000\n");
    expect(3, "less above it");
    put("sys/fs/cgroup/cpu and\\acct/d/cpu.cfs_period_us", "0\n");
    expect(3.5, "a period of 0");
    /* A container without a namespace of groups: its group is what is mounted. */
    begin("4:cpu,cpuacct:/docker/abc/in\n",
          "31 24 0:28 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    put("sys/fs/cgroup/cpu/in/cpu.cfs_quota_us", "50000\n");
    put("sys/fs/cgroup/cpu/in/cpu.cfs_period_us", "100000\n");
    expect(0.5, "below the group that is mounted");
    put("proc/self/cgroup", "4:cpu,cpuacct:/docker/abc\n");
    expect(2, "the group that is mounted");
    put("proc/self/cgroup", "4:cpu,cpuacct:/docker/abcd\n");
    expect(2, "a group that is not below the mount");
    put("proc/self/cgroup", "4:cpu,cpuacct:/docker/abc\n");
    put("proc/self/mountinfo", "31 24 0:28 /docker/xyz /elsewhere rw - cgroup cgroup rw,cpu\n"
                               "31 24 0:28 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n");
    put("elsewhere/cpu.cfs_quota_us", "1000\n");
    put("elsewhere/cpu.cfs_period_us", "100000\n");
    expect(2, "another group's mount beside it");
}

/* Both versions at once, and lines that are none. */
static void mixed(void)
{
    char long_line[12000];
    memset(long_line, 'x', sizeof long_line);
    memcpy(long_line + sizeof long_line - 60, "\n31 24 0:28 / /one rw - cgroup cgroup rw,cpu\n", 46);
    long_line[sizeof long_line - 15] = 0;
    begin("0::/u\n5:cpu:/v\n", long_line);
    put("one/v/cpu.cfs_quota_us", "400000\n");
    put("one/v/cpu.cfs_period_us", "100000\n");
    expect(4, "behind a long line");
    /* What a buffer of 4096 bytes leaves of a line for the next reading looks like a mount. */
    memcpy(long_line + 4095,
           "32 24 0:28 / /lie rw - cgroup cgroup rw,cpu\n31 24 0:28 / /one rw - cgroup cgroup rw,cpu\n", 89);
    put("proc/self/mountinfo", long_line);
    put("lie/v/cpu.cfs_quota_us", "1000\n");
    put("lie/v/cpu.cfs_period_us", "1000\n");
    expect(4, "the end of a long line");
    put("proc/self/mountinfo", "31 24 0:28 / /one rw - cgroup cgroup rw,cpu\n32 24 0:29 / /two rw - cgroup2 none rw\n");
    put("two/u/cpu.max", "300000 100000\n");
    expect(3, "the second of both");
    put("two/u/cpu.max", "700000 100000\n");
    expect(4, "the first of both");
    static const char *const none[] = {"",
                                       "\n",
                                       "31\n",
                                       "31 24 0:28 / /one\n",
                                       "31 24 0:28 / /one rw - cgroup\n",
                                       "31 24 0:28 / /one rw - cgroup cgroup\n",
                                       "31 24 0:28 / /one rw cgroup cgroup rw,cpu\n",
                                       "31 24 0:28 / /one rw - cgroup cgroup rw,cpuset"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        put("proc/self/mountinfo", none[i]);
        expect(0, none[i]);
    }
    put("proc/self/mountinfo", "31 24 0:28 / /one rw - cgroup cgroup rw,cpu");
    static const char *const group[] = {"", "5\n", "5:cpu\n", "5:cpux:/v\n", ":cpuset:/v\n", "5::/v\n"};
    for (size_t i = 0; i < sizeof group / sizeof *group; i++) {
        put("proc/self/cgroup", group[i]);
        expect(0, group[i]);
    }
}

int main(void)
{
    if (!temp_begin())
        return 1;
    second_version();
    first_version();
    mixed();
    CHECK(tx_cores() >= 1 && tx_cores() <= tx_processors(), "%d threads on %d processors", tx_cores(), tx_processors());
    double quota = tx_quota();
    CHECK(quota <= 0 || tx_cores() - quota < 1, "%d threads with a quota of %g", tx_cores(), quota);
    temp_end();
    return test_done("core_quota");
}
