/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <db.h>

#include "base/mem.h"
#include "store/store_impl.h"
#include "store/table.h"

/* Keys are borrowed for the call; Berkeley DB takes them without const. */
static DBT
borrow(const void *data, size_t len)
{
	DBT	 dbt;

	memset(&dbt, 0, sizeof(dbt));
	dbt.data = (void *)(uintptr_t)data;
	dbt.size = dbt.ulen = (u_int32_t)len;
	dbt.flags = DB_DBT_USERMEM;
	return dbt;
}

bool
table_get(struct store *store, enum table table, const void *key,
    size_t key_len, struct buf *out, bool *found, struct err *err)
{
	DB	*db = store->tables[table];
	DBT	 k = borrow(key, key_len), v;
	int	 rc;

	*found = false;
	buf_clear(out);
	buf_reserve(out, 4096);
	do {
		if (!buf_ok(out, "a record of the store", err))
			return false;
		v = borrow(out->data, out->cap);
		rc = db->get(db, store->txn, &k, &v, 0);
		/* The size that is wanted is known now. */
		if (rc == DB_BUFFER_SMALL)
			buf_reserve(out, v.size);
	} while (rc == DB_BUFFER_SMALL);
	if (rc == DB_NOTFOUND)
		return true;
	if (rc != 0)
		return store_db_error(store, rc, "read a record", err);
	out->len = v.size;
	*found = true;
	return true;
}

bool
table_put(struct store *store, enum table table, const void *key,
    size_t key_len, const void *value, size_t len, struct err *err)
{
	DB	*db = store->tables[table];
	DBT	 k = borrow(key, key_len), v = borrow(value, len);
	int	 rc;

	if (store->txn == NULL || key_len > TABLE_KEY_MAX || len > UINT32_MAX)
		return err_set(err, ERR_BUG, "table_put out of place");
	if ((rc = db->put(db, store->txn, &k, &v, 0)) != 0)
		return store_db_error(store, rc, "write a record", err);
	return true;
}

bool
table_delete(struct store *store, enum table table, const void *key,
    size_t key_len, struct err *err)
{
	DB	*db = store->tables[table];
	DBT	 k = borrow(key, key_len);
	int	 rc;

	if (store->txn == NULL)
		return err_set(err, ERR_BUG, "table_delete out of place");
	rc = db->del(db, store->txn, &k, 0);
	if (rc != 0 && rc != DB_NOTFOUND)
		return store_db_error(store, rc, "remove a record", err);
	return true;
}

bool
table_walk(struct store *store, enum table table, const void *from,
    size_t from_len, table_fn *fn, void *arg, struct err *err)
{
	DB		*db = store->tables[table];
	DBC		*cursor = NULL;
	DBT		 k, v;
	u_int32_t	 move = DB_SET_RANGE;
	bool		 more = true, is_ok = false;
	int		 rc;

	memset(&k, 0, sizeof(k));
	memset(&v, 0, sizeof(v));
	k.flags = v.flags = DB_DBT_REALLOC;
	if ((rc = db->cursor(db, store->txn, &cursor, 0)) != 0)
		return store_db_error(store, rc, "list records", err);
	if ((k.data = malloc(from_len + 1)) == NULL) {
		err_set(err, ERR_TEMP, "no memory to list records");
		goto out;
	}
	if (from_len != 0)
		memcpy(k.data, from, from_len);
	k.size = (u_int32_t)from_len;
	while (more) {
		rc = cursor->get(cursor, &k, &v, move);
		if (rc == DB_NOTFOUND)
			break;
		if (rc != 0) {
			store_db_error(store, rc, "list records", err);
			goto out;
		}
		if (!fn(arg, k.data, k.size, v.data, v.size, &more, err))
			goto out;
		move = DB_NEXT;
	}
	is_ok = true;
out:
	cursor->close(cursor);
	free(k.data);
	free(v.data);
	return is_ok;
}

bool
table_last(struct store *store, enum table table, const void *to,
    size_t to_len, struct buf *key, bool *found, struct err *err)
{
	DB	*db = store->tables[table];
	DBC	*cursor = NULL;
	DBT	 k, v;
	int	 rc;

	*found = false;
	buf_clear(key);
	memset(&k, 0, sizeof(k));
	memset(&v, 0, sizeof(v));
	k.flags = DB_DBT_REALLOC;
	/* No byte of the value is wanted. */
	v.flags = DB_DBT_REALLOC | DB_DBT_PARTIAL;
	if ((rc = db->cursor(db, store->txn, &cursor, 0)) != 0)
		return store_db_error(store, rc, "list records", err);
	k.data = mem_dup(to, to_len);
	k.size = (u_int32_t)to_len;
	rc = cursor->get(cursor, &k, &v, DB_SET_RANGE);
	if (rc == DB_NOTFOUND)
		rc = cursor->get(cursor, &k, &v, DB_LAST);
	else if (rc == 0 && (k.size != to_len ||
	    memcmp(k.data, to, to_len) != 0))
		rc = cursor->get(cursor, &k, &v, DB_PREV);
	if (rc == 0) {
		*found = true;
		buf_add(key, k.data, k.size);
	}
	cursor->close(cursor);
	free(k.data);
	free(v.data);
	if (rc != 0 && rc != DB_NOTFOUND)
		return store_db_error(store, rc, "list records", err);
	return buf_ok(key, "a record's key", err);
}
