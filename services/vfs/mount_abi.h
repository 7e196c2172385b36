/*
 * Numbers and structures of the newer calls about mounts, as <linux/mount.h> of Linux 7.3 has them;
 * the C library's headers lack or spell them differently. Names end in _ where those headers may
 * define them.
 *
 * Source: open_tree(2), move_mount(2), mount_setattr(2), statmount(2), listmount(2), fsopen(2).
 */
#ifndef VFS_MOUNT_ABI_H
#define VFS_MOUNT_ABI_H

#include <skerry/types.h>

#define OPEN_TREE_CLONE_        0x1u
#define OPEN_TREE_NAMESPACE_    0x2u

#define MOVE_F_SYMLINKS         0x001u
#define MOVE_F_AUTOMOUNTS       0x002u
#define MOVE_F_EMPTY            0x004u
#define MOVE_T_SYMLINKS         0x010u
#define MOVE_T_AUTOMOUNTS       0x020u
#define MOVE_T_EMPTY            0x040u
#define MOVE_SET_GROUP          0x100u
#define MOVE_BENEATH            0x200u
#define MOVE_MOUNT_ALL          0x377u

#define MOUNT_ATTR_RDONLY_      0x00000001ul
#define MOUNT_ATTR_NOSUID_      0x00000002ul
#define MOUNT_ATTR_NODEV_       0x00000004ul
#define MOUNT_ATTR_NOEXEC_      0x00000008ul
#define MOUNT_ATTR__ATIME_      0x00000070ul
#define MOUNT_ATTR_NOATIME_     0x00000010ul
#define MOUNT_ATTR_STRICTATIME_ 0x00000020ul
#define MOUNT_ATTR_NODIRATIME_  0x00000080ul
#define MOUNT_ATTR_IDMAP_       0x00100000ul
#define MOUNT_ATTR_NOSYMFOLLOW_ 0x00200000ul
#define MOUNT_ATTR_ALL          0x003000fful

/* struct mount_attr without @userns_fd. */
struct vfs_mount_attr {
	u64 set, clear, propagation;
};

struct statmount_abi {
	u32 size, mnt_opts;
	u64 mask;
	u32 sb_dev_major, sb_dev_minor;
	u64 sb_magic;
	u32 sb_flags, fs_type;
	u64 mnt_id, mnt_parent_id;
	u32 mnt_id_old, mnt_parent_id_old;
	u64 mnt_attr, mnt_propagation, mnt_peer_group, mnt_master, propagate_from;
	u32 mnt_root, mnt_point;
	u64 mnt_ns_id;
	u32 fs_subtype, sb_source, opt_num, opt_array, opt_sec_num, opt_sec_array;
	u64 supported_mask;
	u32 mnt_uidmap_num, mnt_uidmap, mnt_gidmap_num, mnt_gidmap;
	u64 spare[43];
};
static_assert(sizeof(struct statmount_abi) == 512, "the ABI's");

/* struct mnt_id_req */
struct mnt_id_req_abi {
	u32 size;
	u32 fd; /* mnt_ns_fd, or mnt_fd with STATMOUNT_BY_FD */
	u64 mnt_id, param, mnt_ns_id;
};

/* struct ns_id_req */
struct ns_id_req_abi {
	u32 size, spare;
	u64 ns_id;
	u32 ns_type, spare2;
	u64 user_ns_id;
};

#define FSCONFIG_SET_FLAG_        0u
#define FSCONFIG_SET_STRING_      1u
#define FSCONFIG_SET_BINARY_      2u
#define FSCONFIG_SET_PATH_        3u
#define FSCONFIG_SET_PATH_EMPTY_  4u
#define FSCONFIG_SET_FD_          5u
#define FSCONFIG_CMD_CREATE_      6u
#define FSCONFIG_CMD_RECONFIGURE_ 7u
#define FSCONFIG_CMD_CREATE_EXCL_ 8u
#define FSMOUNT_CLOEXEC_          1u
#define FSMOUNT_NAMESPACE_        2u

#define STATMOUNT_SB_BASIC        0x0001u
#define STATMOUNT_MNT_BASIC       0x0002u
#define STATMOUNT_PROPAGATE_FROM  0x0004u
#define STATMOUNT_MNT_ROOT        0x0008u
#define STATMOUNT_MNT_POINT       0x0010u
#define STATMOUNT_FS_TYPE         0x0020u
#define STATMOUNT_MNT_NS_ID       0x0040u
#define STATMOUNT_MNT_OPTS        0x0080u
#define STATMOUNT_FS_SUBTYPE      0x0100u
#define STATMOUNT_SB_SOURCE       0x0200u
#define STATMOUNT_OPT_ARRAY       0x0400u
#define STATMOUNT_OPT_SEC_ARRAY   0x0800u
#define STATMOUNT_SUPPORTED_MASK  0x1000u
#define STATMOUNT_MNT_UIDMAP      0x2000u
#define STATMOUNT_MNT_GIDMAP      0x4000u
#define STATMOUNT_ALL             0x7fffu

#define STATMOUNT_BY_FD_          0x1u
#define LISTMOUNT_REVERSE_        0x1u
#define LSMT_ROOT_                UINT64_MAX
#define LISTNS_CURRENT_USER_      UINT64_MAX

/* Identifiers of mounts are above this, so that none is taken for a small one. */
#define VFS_MOUNT_ID_BASE 0x80000000ul

#endif
