/*
 * The functions of Linux's kernel. See profile.h.
 *
 * Debian's packages of kernels have no table of symbols but those for debugging, of a gigabyte; the
 * kernel itself has one. So it is booted once, and asked; what it says is kept beside it.
 */
#include "profile.h"

#include <string.h>

#include "../build.h"
#include "../linux.h"

#define ASK "/bin/busybox grep -iw t /proc/kallsyms"
/* Of a list that is whole. */
#define LEAST 10000

const char *profile_linux_list(const struct project *p)
{
	char *path = strf("%s/linux/functions-%08x", build_dir(),
			  text_hash(strf("%s %s", linux_kernel(), linux_version())));
	struct guest g = {.log = -1, .timeout_s = 300};
	struct boot b = {
		.on_linux = true, .cores = 1, .program = ASK, .append = PROFILE_LINUX_WORDS};
	struct strv targets = {0};
	struct buf list = {0};
	size_t lines = 0;

	if (file_read(path, &list) == 0)
		return list.v;
	warn("booting Linux to ask for its functions, once");
	linux_targets(p, &targets);
	ninja_run(&targets);
	g.argv = linux_command(p, &b);
	guest_run(&g);
	for (const char *at = g.console.v; at && (at = strchr(at, '\n')); at++)
		lines++;
	if (guest_trouble(&g) || g.code != 0 || lines < LEAST)
		die("Linux did not say its functions: %s",
		    guest_trouble(&g) ? guest_trouble(&g)
				      : strf("there are only %zu lines", lines));
	make_parents(path);
	file_write(path, g.console.v, g.console.n);
	return g.console.v;
}
