/*
 * The vDSO: a small shared object that every program gets, which tells the time without a system
 * call. Its code is vdso/vdso.c; what it reads is a page that the personality keeps (vdso/vvar.h).
 *
 * Runs in: the personality's domain. Source: vdso(7).
 */
#ifndef LINUX_VDSO_H
#define LINUX_VDSO_H

#include "mm.h"
#include "vdso/vvar.h"

/** Take pages for it and fill them. 0 or -ENOMEM: then programs have none. */
int vdso_init(void);

/** Map it into a new address space; sets mm->vdso. 0 or -ENOMEM. */
int vdso_map(struct mm *mm);

/** What vdso_map() maps: 0 the data, 1 the code; NULL: neither. And which of them it is; -1: none.
 */
struct backing *vdso_backing(u32 which);
int vdso_which(const struct backing *backing);

/** From now on the vDSO of @mm, if it is there, asks for the time. 0 or -ENOMEM. */
int vdso_ask(struct mm *mm);

/** This core's page, to be read. */
const struct vvar *vdso_vvar(void);

/** Change the page between these two: programs read it meanwhile. */
struct vvar *vdso_begin(void);
void vdso_end(void);

#endif
