/*
 * Files of this core that others know: who has how many references, and who wants to be told when
 * they change.
 *
 * An export holds one reference of its file, as long as any core has one. Watches of all cores
 * share one set of entries in the queues that the file's poll() names, as O_ASYNC has (async.c).
 *
 * Runs in: the personality, host tests.
 */
#include "far_file_internal.h"

#include <stdlib.h>

struct export *export_find(const struct far_files *all, u64 id)
{
	return shard_handle_get(&all->exports, id);
}

struct export_ref *export_ref_of(const struct export *export, u32 core)
{
	struct export_ref *ref = export->refs;

	while (ref && ref->core != core)
		ref = ref->next;
	return ref;
}

static struct export *export_new(struct far_files *all, struct file *file)
{
	struct export *export = calloc(1, sizeof(*export));

	if (!export)
		return NULL;
	export->id = shard_handle_new(&all->exports, export);
	if (!export->id) {
		free(export);
		return NULL;
	}
	export->all = all;
	export->file = file_get(file);
	file->exported = export;
	return export;
}

static void leave_queues(struct export *export)
{
	while (export->nentries)
		wait_remove(&export->entries[--export->nentries].entry);
}

static void export_free(struct export *export)
{
	struct file *file = export->file;

	leave_queues(export);
	shard_handle_drop(&export->all->exports, export->id);
	file->exported = NULL;
	free(export);
	file_put(file);
}

u64 export_add(struct far_files *all, struct file *file, u32 core)
{
	struct export *export = file->exported ? file->exported : export_new(all, file);
	struct export_ref *ref = export ? export_ref_of(export, core) : NULL;

	if (!export)
		return 0;
	if (!ref) {
		ref = calloc(1, sizeof(*ref));
		if (!ref) {
			if (!export->refs)
				export_free(export);
			return 0;
		}
		ref->core = core;
		ref->next = export->refs;
		export->refs = ref;
	}
	ref->count++;
	return export->id;
}

void export_drop(struct export *export, u32 core, u64 count)
{
	struct export_ref **at = &export->refs, *ref;

	while (*at && (*at)->core != core)
		at = &(*at)->next;
	ref = *at;
	if (!ref)
		return;
	if (count < ref->count) {
		ref->count -= (u32)count;
		return;
	}
	*at = ref->next;
	free(ref);
	if (!export->refs)
		export_free(export);
}

/* --- Watching --- */

void export_look(struct export *export, struct file_answer *answer)
{
	answer->events = file_poll(export->file, NULL);
	answer->seq = ++export->seq;
}

/* A queue of the file was woken: whoever watches is told. */
static void woken(struct wait_entry *entry, u32 events)
{
	struct export *export = container_of(entry, struct export_entry, entry)->export;
	struct file_change change = {.id = export->id, .cause = events};
	struct file_answer now;

	export_look(export, &now);
	change.events = now.events | events;
	change.seq = now.seq;
	for (struct export_ref *ref = export->refs; ref; ref = ref->next) {
		if (ref->watch == FILE_WATCH_NOT)
			continue;
		if (ref->watch == FILE_WATCH_ONCE)
			ref->watch = FILE_WATCH_NOT;
		shard_tell(export->all->net, ref->core, FILES_CHANGED, &change, sizeof(change));
	}
}

struct joining {
	struct poll_table table;
	struct export *export;
};

static void join(struct poll_table *table, struct wait_queue *queue)
{
	struct export *export = container_of(table, struct joining, table)->export;
	struct export_entry *e = &export->entries[export->nentries];

	if (export->nentries == FAR_QUEUES)
		return;
	export->nentries++;
	*e = (struct export_entry){.entry.wake = woken, .export = export};
	wait_add(queue, &e->entry);
}

void export_watch(struct export *export, struct export_ref *ref, u32 watch)
{
	struct joining joining = {.table.add = join, .export = export};
	bool any = false;

	ref->watch = watch;
	for (ref = export->refs; ref; ref = ref->next)
		any |= ref->watch != FILE_WATCH_NOT;
	if (!any)
		leave_queues(export);
	else if (!export->nentries && export->file->ops->poll)
		export->file->ops->poll(export->file, &joining.table);
}

/* --- Death --- */

void export_core_died(struct far_files *all, u32 core)
{
	struct export *export;
	u64 id = 0;

	while ((export = shard_handle_next(&all->exports, id, &id)) != NULL) {
		struct inode *inode = export->file->inode;

		if (!export_ref_of(export, core))
			continue;
		if (inode->locks)
			locks_core_died(inode, core);
		export_drop(export, core, UINT64_MAX);
	}
}
