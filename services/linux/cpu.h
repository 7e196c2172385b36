/* The processors of the machine in /proc and /sys; see cpu.c. */
#ifndef LINUX_CPU_H
#define LINUX_CPU_H

#include <vfs/vfs.h>

/** Add /proc/cpuinfo, and what /sys tells of processors and nodes. 0 or -ENOMEM. */
int cpu_init(struct vfs *vfs);

#endif
