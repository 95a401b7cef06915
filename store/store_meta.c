/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/keywrap.h"
#include "store/store_meta.h"
#include "store/table.h"

#define VERSION		1
#define CHECK_TEXT	"smime-milter store"

bool
store_meta_check_version(const char *what, const uint8_t *value, size_t len,
    struct err *err)
{
	unsigned	 version;

	if (len != 2)
		return err_set(err, ERR_DATA, "%s does not say its version",
		    what);
	version = (unsigned)value[0] << 8 | value[1];
	if (version > VERSION)
		return err_set(err, ERR_CONFIG, "%s is of version %u, this "
		    "program knows up to %d: it was written by a newer one",
		    what, version, VERSION);
	if (version < VERSION)
		return err_set(err, ERR_CONFIG, "%s is of version %u, this "
		    "program knows %d only: it was written by an older one",
		    what, version, VERSION);
	return true;
}

static bool
check_version(struct store *store, const char *dir, struct err *err)
{
	char		*what = mem_strf("the store %s", dir);
	struct buf	 value = { 0 };
	bool		 found, is_ok;

	is_ok = table_get(store, TABLE_META, "version", 7, &value, &found,
	    err) && store_meta_check_version(what, value.data, value.len, err);
	buf_free(&value);
	free(what);
	return is_ok;
}

/* The first that fits, of the key given and its spares, is the store's. */
static bool
choose_master_key(const struct store_options *options,
    const struct buf *check, uint8_t *master, struct err *err)
{
	struct buf	 plain = { .is_secret = true };
	bool		 is_ok = false;

	for (size_t i = 0; !is_ok && i <= options->n_spare_keys; i++) {
		if (i > 0)
			memcpy(master, options->spare_keys[i - 1],
			    MASTER_KEY_LEN);
		is_ok = keywrap_open(master, "check", "", 0, check->data,
		    check->len, &plain, err);
		if (!is_ok && err->kind != ERR_DATA)
			break;
	}
	if (!is_ok && err->kind == ERR_DATA)
		err_set(err, ERR_CONFIG, "this is not the master key that the "
		    "store %s was made with", options->dir);
	buf_free(&plain);
	return is_ok;
}

static bool
check_master_key(struct store *store, const struct store_options *options,
    uint8_t *master, struct err *err)
{
	struct buf	 value = { 0 };
	bool		 found, is_ok = false;

	if (!table_get(store, TABLE_META, "check", 5, &value, &found, err))
		goto out;
	if (!found) {
		err_set(err, ERR_DATA, "the store %s lacks the record that "
		    "tells its master key", options->dir);
		goto out;
	}
	is_ok = choose_master_key(options, &value, master, err);
out:
	buf_free(&value);
	return is_ok;
}

bool
store_meta_check(struct store *store, const struct store_options *options,
    uint8_t *master, struct err *err)
{
	return check_version(store, options->dir, err) &&
	    check_master_key(store, options, master, err);
}

bool
store_meta_is_there(struct store *store, bool *is_there, struct err *err)
{
	struct buf	 version = { 0 };
	bool		 is_ok;

	is_ok = table_get(store, TABLE_META, "version", 7, &version, is_there,
	    err);
	buf_free(&version);
	return is_ok;
}

static bool
put_version(struct store *store, struct err *err)
{
	static const uint8_t	 version[2] = { VERSION >> 8, VERSION & 255 };

	return table_put(store, TABLE_META, "version", 7, version,
	    sizeof(version), err);
}

bool
store_meta_put_check(struct store *store, const uint8_t *master,
    struct err *err)
{
	struct buf	 check = { 0 };
	bool		 is_ok;

	is_ok = keywrap_seal(master, "check", "", 0, CHECK_TEXT,
	    sizeof(CHECK_TEXT) - 1, &check, err) &&
	    table_put(store, TABLE_META, "check", 5, check.data, check.len,
	    err);
	buf_free(&check);
	return is_ok;
}

bool
store_meta_put(struct store *store, const uint8_t *master, struct err *err)
{
	return put_version(store, err) &&
	    store_meta_put_check(store, master, err);
}
