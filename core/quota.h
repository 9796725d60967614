/* quota.h - a container's quota of processors, for whoever tests it. Private to core. */
#ifndef THORAX_QUOTA_H
#define THORAX_QUOTA_H

/* tx_quota as the files below the folder `root` say it (proc/self/cgroup, proc/self/mountinfo, and what these name). */
double tx_quota_below(const char *root);

#endif
