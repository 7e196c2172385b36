/*
 * What all cores agree on: names, and which cores live. For tests, replicated objects.
 *
 * Requests that other cores have a part in make the calling fiber wait; a core that dies meanwhile
 * makes them longer, never endless.
 *
 * Runs in: native domains.
 */
#ifndef RT_AGREED_H
#define RT_AGREED_H

#include <rt/memory.h>
#include <skerry/monitor.h>

/**
 * Register @name (up to NAME_BYTES_MAX with its NUL) for all cores; it goes with this program.
 * Returns 0; -EEXIST (it is taken), -ENOSPC, -ENOMEM, -EINVAL.
 */
int rt_name_register(const char *name, u64 word0, u64 word1);

/** Give it back: 0, -ENOENT, -EINVAL. */
int rt_name_unregister(const char *name);

struct rt_name {
	u32 core; /* that registered it */
	u64 word[2];
};

/** Look @name up: locally, but for the first time on a core. 0; -ENOENT, -ENOMEM, -EINVAL. */
int rt_name_lookup(const char *name, struct rt_name *out);

/** Whether @core lives, as far as this one knows. */
bool rt_core_lives(u32 core);

/**
 * From now on, wake @queue whenever other cores live than before. This core's monitor then sees to
 * it that the death of the next live core is noticed even if nobody waits for that. 0 or -ENOMEM.
 */
struct fiber_queue;
int rt_watch_cores(struct fiber_queue *queue);

/**
 * Borrow @bytes of other cores' memory, after which rt_frame_new() has more to give.
 * 0; -ENOMEM: no core has them to spare; -EINVAL.
 */
int rt_memory_borrow(u64 bytes);

/** Let programs of other cores map @frame: they ask by @address. 0, -EALREADY, -EINVAL, -ENOMEM. */
int rt_frame_export(const struct rt_frame *frame, u64 *address);

/**
 * Get a frame of @bytes that a program of @core exports at @address.
 * 0 with the capability; -EPERM (there is no such), -EHOSTDOWN, -ENOMEM, -EINVAL.
 */
int rt_frame_import(u32 core, u64 address, u64 bytes, cap_t *frame);

/** Take an exported frame back: on return no other core maps it. 0 or -EINVAL, -EALREADY. */
int rt_frame_revoke(const struct rt_frame *frame);

/* For tests: OBJECT_* on @object; see skerry/monitor.h. */
int rt_object_create(u64 *object);
int rt_object_read(u64 object, u32 key, u64 *value);

/** OBJECT_SHARE, CHANGE, LEAVE, DESTROY. Returns the result. */
s64 rt_object_do(u32 what, u64 object, u32 key, u64 value);

/** OBJECT_CHANGE_ALL. */
s64 rt_object_change_all(const struct mon_parts *parts);

/* A notice about a request has come. By notice.c only. */
void agreed_noticed(u32 number, s64 status);

/* Other cores live than before. By notice.c only. */
void agreed_cores_changed(void);

#endif
