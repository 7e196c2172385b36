/*
 * Several images as one: what is left of a home's namespaces when it has died, each core with a
 * part.
 *
 * Runs in: the personality, host tests.
 */
#include "image_internal.h"

#include <errno.h>

/* The group of that number in @out; 0: none yet. */
static u32 find_group(const struct mounts_image *out, u32 id)
{
	for (u32 i = 0; i < out->ngroups; i++) {
		if (out->group[i].id == id)
			return i + 1;
	}
	return 0;
}

/* Groups that are not there yet; a master is before its slaves in @from, and so in @out. */
static void add_groups(struct mounts_image *out, const struct mounts_image *from)
{
	for (u32 i = 0; i < from->ngroups; i++) {
		const struct image_group *g = &from->group[i];
		u32 master = g->master ? from->group[g->master - 1].id : 0;

		if (find_group(out, g->id))
			continue;
		out->group[out->ngroups] = (struct image_group){
			.id = g->id, .master = master ? find_group(out, master) : 0};
		out->ngroups++;
	}
}

static u32 group_in(const struct mounts_image *out, const struct mounts_image *from, u32 group)
{
	return group ? find_group(out, from->group[group - 1].id) : 0;
}

/* The @i-th namespace of @from goes to @out with all references. */
static void move_space(struct mounts_image *out, struct mounts_image *from, u32 i)
{
	struct image_ns *ns = &from->space[i], *to = &out->space[out->nspaces++];

	*to = *ns;
	to->first = out->nmounts;
	for (u32 j = ns->first; j < ns->first + ns->count; j++) {
		struct image_mount *m = &out->mount[out->nmounts++];

		*m = from->mount[j];
		m->group = group_in(out, from, m->group);
		m->master = group_in(out, from, m->master);
		from->mount[j].sb = NULL;
		from->mount[j].point = NULL;
	}
	ns->owner = NULL;
	ns->skipped = true;
}

int mounts_image_merge(struct mounts_image *const *list, u32 n, struct mounts_image **out)
{
	u32 nspaces = 0, nmounts = 0, ngroups = 0;
	struct mounts_image *all;

	for (u32 i = 0; i < n; i++) {
		nspaces += list[i]->nspaces;
		nmounts += list[i]->nmounts;
		ngroups += list[i]->ngroups;
	}
	all = image_new(list[0]->all, nspaces, nmounts, ngroups);
	if (!all)
		return -ENOMEM;
	all->nspaces = all->nmounts = all->ngroups = 0;
	for (u32 i = 0; i < n; i++) {
		add_groups(all, list[i]);
		for (u32 j = 0; j < list[i]->nspaces; j++) {
			if (!list[i]->space[j].skipped)
				move_space(all, list[i], j);
		}
	}
	*out = all;
	return 0;
}
