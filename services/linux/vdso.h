/*
 * The vDSO: a small shared object that every program gets, which tells the time without a system
 * call. Its code is vdso/vdso.S; what it reads is a page that the personality keeps.
 *
 * Runs in: the personality's domain. Source: vdso(7).
 */
#ifndef LINUX_VDSO_H
#define LINUX_VDSO_H

#include "mm.h"

/** Take pages for it and fill them. 0 or -ENOMEM: then programs have none. */
int vdso_init(void);

/** Map it into a new address space; sets mm->vdso. 0 or -ENOMEM. */
int vdso_map(struct mm *mm);

/** The clocks have been set. */
void vdso_update(void);

#endif
