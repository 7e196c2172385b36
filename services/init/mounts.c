/*
 * The file systems that every Linux program expects. One that is there stays, and a root that
 * cannot have one (read-only, say) goes without: the console is told.
 */
#include "init.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* Whether @where is the root of a file system: on another device than the folder above it. */
static bool is_mounted(const char *where)
{
	char above[64];
	struct stat here, there;

	snprintf(above, sizeof(above), "%s/..", where);
	return stat(where, &here) == 0 && stat(above, &there) == 0 && here.st_dev != there.st_dev;
}

void mount_usual(void)
{
	static const struct {
		const char *where, *type, *options;
		unsigned long flags;
	} mounts[] = {
		{"/proc", "proc", "", MS_NOSUID | MS_NODEV | MS_NOEXEC},
		{"/sys", "sysfs", "", MS_NOSUID | MS_NODEV | MS_NOEXEC},
		{"/dev", "devtmpfs", "mode=0755", MS_NOSUID},
		{"/dev/pts", "devpts", "gid=5,mode=620,ptmxmode=666", MS_NOSUID | MS_NOEXEC},
		{"/dev/shm", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV},
		{"/tmp", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV},
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		if (is_mounted(mounts[i].where))
			continue;
		mkdir(mounts[i].where, 0755);
		if (mount(mounts[i].type, mounts[i].where, mounts[i].type, mounts[i].flags,
			  mounts[i].options))
			fprintf(stderr, "init: mounting %s: %s\n", mounts[i].where,
				strerror(errno));
	}
}
