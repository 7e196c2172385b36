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

#endif
