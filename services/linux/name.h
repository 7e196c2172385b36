/*
 * Paths and other names that programs pass: copied here before anybody looks at them.
 */
#ifndef LINUX_NAME_H
#define LINUX_NAME_H

#include "process.h"

/** A path in a buffer of this domain, to be given back by name_put(); 0, -EFAULT, -ENAMETOOLONG,
 * -ENOMEM. */
int name_get(struct thread *t, u64 addr, char **name);
void name_put(char *name);

/* Get a path, do something with it, give it back. */
#define WITH_NAME(t, addr, name, result, what)                                                     \
	do {                                                                                       \
		char *name;                                                                        \
		result = name_get(t, addr, &name);                                                 \
		if (!result)                                                                       \
			result = (what);                                                           \
		name_put(name);                                                                    \
	} while (0)

/* The same for two. */
#define WITH_NAMES(t, addr1, one, addr2, two, result, what)                                        \
	do {                                                                                       \
		char *one, *two = NULL;                                                            \
		result = name_get(t, addr1, &one);                                                 \
		if (!result)                                                                       \
			result = name_get(t, addr2, &two);                                         \
		if (!result)                                                                       \
			result = (what);                                                           \
		name_put(one);                                                                     \
		name_put(two);                                                                     \
	} while (0)

#endif
