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
	export->file = file;
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
	leave_queues(export);
	shard_handle_drop(&export->all->exports, export->id);
	export->file->exported = NULL;
	free(export);
}

/* The reference of @core, made if it has none; NULL: no memory. */
static struct export_ref *need_ref(struct export *export, u32 core)
{
	struct export_ref *ref = export_ref_of(export, core);

	if (ref)
		return ref;
	ref = calloc(1, sizeof(*ref));
	if (!ref)
		return NULL;
	ref->core = core;
	ref->next = export->refs;
	export->refs = ref;
	return ref;
}

u64 export_add(struct far_files *all, struct file *file, u32 core, bool weak)
{
	struct export *export = file->exported ? file->exported : export_new(all, file);
	struct export_ref *ref = export ? need_ref(export, core) : NULL;

	if (!ref) {
		if (export && !export->refs)
			export_free(export);
		return 0;
	}
	if (weak) {
		ref->weak++;
	} else if (ref->count++ == 0 && export->strong++ == 0) {
		file_get(file);
	}
	return export->id;
}

void export_drop(struct export *export, u32 core, u64 count, bool weak)
{
	struct export_ref **at = &export->refs, *ref = export_ref_of(export, core);
	struct file *file = export->file;
	u32 *which = ref ? (weak ? &ref->weak : &ref->count) : NULL;
	bool last;

	if (!which || !*which)
		return;
	*which -= (u32)MIN(count, *which);
	last = !weak && !ref->count && --export->strong == 0;
	if (!ref->count && !ref->weak) {
		while (*at != ref)
			at = &(*at)->next;
		*at = ref->next;
		free(ref);
	}
	if (!export->refs)
		export_free(export);
	if (last)
		file_put(file);
}

void export_gone(struct file *file)
{
	struct export *export = file->exported;
	struct file_ask ask = {.id = export->id};

	while (export->refs) {
		struct export_ref *ref = export->refs;

		export->refs = ref->next;
		shard_tell(export->all->net, ref->core, FILES_GONE, &ask, sizeof(ask));
		free(ref);
	}
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
		export_drop(export, core, UINT64_MAX, true);
		if (export_find(all, id))
			export_drop(export, core, UINT64_MAX, false);
	}
}
