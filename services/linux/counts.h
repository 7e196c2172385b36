/*
 * Messages between cores, in /sys/kernel/skerry: "no message" is a measurement.
 *
 *   messages          of all cores together, a line an area: name, sent, received
 *   core/N/messages   of one core, a line a peer and area: peer, name, sent, received
 *
 * Calls and answers, cancels and tells are messages. Reading sends some too, in the area "control".
 * Runs in: the personality's domain.
 */
#ifndef LINUX_COUNTS_H
#define LINUX_COUNTS_H

#include <vfs/vfs.h>

struct shard_net;

/** Serve other cores. 0 or -ENOMEM. */
int counts_init(struct shard_net *net);

/** Add the files to /sys. 0 or -ENOMEM. */
int counts_fill(struct vfs *vfs);

#endif
