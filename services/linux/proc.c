/*
 * What /proc shows of processes and of this core.
 *
 * Runs in: the personality's domain. Source: proc(5).
 */
#include "misc.h"

int proc_init(struct vfs *vfs)
{
	(void)vfs;
	return 0;
}
