/*
 * Moving data between the VFS and its callers. See uio.h.
 */
#include <vfs/uio.h>

#include <string.h>

static size_t copy_kernel(struct uio *uio, void *kernel, size_t len, bool in)
{
	char *at = (char *)uio->base + uio->done;

	if (in)
		memcpy(kernel, at, len);
	else
		memcpy(at, kernel, len);
	return len;
}

void uio_kernel(struct uio *uio, void *base, size_t len)
{
	*uio = (struct uio){.left = len, .base = base, .copy = copy_kernel};
}

static size_t move(struct uio *uio, void *kernel, size_t len, bool in)
{
	len = MIN(len, uio->left);
	if (len)
		len = uio->copy(uio, kernel, len, in);
	return uio_skip(uio, len);
}

size_t uio_put(struct uio *uio, const void *from, size_t len)
{
	return move(uio, (void *)from, len, false);
}

size_t uio_put_zero(struct uio *uio, size_t len)
{
	static const u8 zeros[PAGE_SIZE];
	size_t done = 0;

	len = MIN(len, uio->left);
	while (done < len) {
		size_t n = MIN(len - done, sizeof(zeros));
		size_t moved = uio_put(uio, zeros, n);

		done += moved;
		if (moved < n)
			break;
	}
	return done;
}

size_t uio_take(struct uio *uio, void *to, size_t len)
{
	return move(uio, to, len, true);
}

size_t uio_skip(struct uio *uio, size_t len)
{
	len = MIN(len, uio->left);
	uio->done += len;
	uio->left -= len;
	return len;
}
