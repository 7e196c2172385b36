/*
 * Frames of this core that programs of other cores map, and frames of other cores that programs of
 * this one map: the local half of what lib/memown keeps account of.
 *
 *   export_new     a program lets others map one of its frames, whom it tells the address
 *   import_new     a program of another core asks; the owner's monitor records that core
 *   import_frame   ... and then gets the frame
 *   export_revoke  the owner takes it back: every core on record unmaps it (export_unmap), TLBs
 *                  included, before the owner hears that it is done
 *
 * An exported frame is not freed before it is revoked: not by its program, and when that dies only
 * once no core maps it.
 */
#ifndef MONITOR_EXPORT_H
#define MONITOR_EXPORT_H

#include "agreement.h"
#include "program.h"

/** Export the frame with that handle. 0 with its address and size; -EINVAL, -EALREADY, -ENOMEM. */
int export_new(const struct program *owner, u64 handle, u64 *base, u64 *bytes);

/** Whether @handle is exported; then it must not be freed. */
bool export_holds(u64 handle);

/** Have it unmapped everywhere else. 0: @then hears; -EINVAL, -EALREADY, -ENOMEM, -EAGAIN. */
int export_revoke(const struct program *owner, u64 handle, struct agreement_request *then);

/** For lib/memown: whether other cores may map the range. */
bool export_may_map(u64 base, u64 bytes);

/** For lib/memown: unmap what programs of this core map of the range. */
void export_unmap(const struct agree_range *range);

/** Ask to map a frame of @core under the caller's @number. As memown_map(); @then hears. */
int import_new(const struct program *owner, u32 number, u32 core, const struct agree_range *range,
	       struct agreement_request *then);

/** The frame that was asked for under @number; CAP_NONE: none, or it has been taken back. */
cap_t import_frame(const struct program *owner, u32 number);

/** Its imports go; its exports, once they are revoked. Before its memory is freed. */
void export_program_died(const struct program *owner);

#endif
