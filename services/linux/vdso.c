/* See vdso.h. */
#include "vdso.h"

int vdso_init(void)
{
	return 0;
}

int vdso_map(struct mm *mm)
{
	mm->vdso = 0;
	return 0;
}

void vdso_update(void)
{
}
