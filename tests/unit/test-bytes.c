/* SPDX-License-Identifier: BSD-2-Clause */
/* buf, pieces and spool: a mail's bytes, on their way. */
#include <openssl/evp.h>

#include "base/base64.h"
#include "base/block.h"
#include "base/buf.h"
#include "base/pieces.h"
#include "base/spool.h"

#include "tests/lib/test.h"

#define MIB	((size_t)1024 * 1024)

static void
test_buf(void)
{
	struct buf	 buf = { .max = 8 };
	struct err	 err = { 0 };
	char		*text;

	test_row("grows up to its limit, and a failure sticks");
	buf_adds(&buf, "1234");
	buf_addf(&buf, "%d", 5678);
	CHECK_OK(buf_ok(&buf, "a number", &err), err);
	buf_addc(&buf, '9');
	CHECK(!buf_ok(&buf, "a number", &err));
	CHECK_INT(err.kind, ERR_TEMP);
	CHECK(strstr(err.reason, "a number") != NULL);
	buf_clear(&buf);
	buf_free(&buf);

	test_row("becomes a string");
	buf = (struct buf){ 0 };
	buf_add(&buf, "ab", 2);
	text = buf_take_str(&buf);
	CHECK_STR(text, "ab");
	CHECK_INT(buf.len, 0);
	free(text);
	text = buf_take_str(&buf);
	CHECK_STR(text, "");
	free(text);
}

static bool
collect(void *arg, const uint8_t *data, size_t len, struct err *err)
{
	struct buf	*out = arg;

	(void)err;
	buf_add(out, data, len);
	return true;
}

static bool
stop(void *arg, const uint8_t *data, size_t len, struct err *err)
{
	(void)data;
	(void)len;
	++*(int *)arg;
	return err_set(err, ERR_TEMP, "enough");
}

static void
test_pieces(void)
{
	struct pieces	*pieces = pieces_new(), *more = pieces_new();
	struct pieces	*encoded;
	struct buf	 binary = { 0 }, out = { 0 };
	struct err	 err = { 0 };
	int		 calls = 0;

	test_row("pieces come out in order, binary as base64 lines");
	for (int i = 0; i < 49; i++)
		buf_addc(&binary, (char)i);
	pieces_add(pieces, "--b\r\n", 5);
	encoded = pieces_new();
	pieces_add_take(encoded, &binary);
	CHECK_INT(binary.len, 0);
	pieces_add_base64_take(pieces, encoded);
	pieces_add(more, "", 0);
	pieces_add_str(more, "--b--\r\n");
	pieces_append_take(pieces, more);
	CHECK_OK(pieces_walk(pieces, collect, &out, &err), err);
	CHECK_MEM(out.data, out.len, "--b\r\n"
	    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"
	    "\r\nMA==\r\n--b--\r\n", 5 + 66 + 6 + 7);
	CHECK_INT(pieces_len(pieces), out.len);

	test_row("a reader that fails is asked no more");
	CHECK(!pieces_walk(pieces, stop, &calls, &err));
	CHECK_INT(calls, 1);
	CHECK_STR(err.reason, "enough");
	pieces_free(pieces);
	buf_free(&out);

	test_row("the length foretold holds for every length");
	for (size_t len = 0; len < 200; len++) {
		pieces = pieces_new();
		for (size_t i = 0; i < len; i++)
			buf_addc(&binary, 'x');
		encoded = pieces_new();
		pieces_add_take(encoded, &binary);
		pieces_add_base64_take(pieces, encoded);
		CHECK_OK(pieces_walk(pieces, collect, &out, &err), err);
		CHECK_INT(pieces_len(pieces), out.len);
		buf_clear(&out);
		pieces_free(pieces);
	}
	buf_free(&out);
	pieces_free(NULL);
}

/* A copy of its own, so that a sanitizer sees a byte that is read too far. */
static void
check_base64(const uint8_t *data, size_t len, size_t run)
{
	struct pieces	*pieces = pieces_new(), *encoded = pieces_new();
	struct buf	 got = { 0 }, want = { 0 };
	struct err	 err = { 0 };
	uint8_t		*copy = malloc(len == 0 ? 1 : len);

	REQUIRE(copy != NULL);
	memcpy(copy, data, len);
	for (size_t at = 0; at < len; at += run)
		pieces_add(encoded, copy + at, len - at < run ? len - at :
		    run);
	pieces_add_base64_take(pieces, encoded);
	REQUIRE_OK(pieces_walk(pieces, collect, &got, &err), err);
	for (size_t at = 0; at < len; at += BASE64_LINE_IN) {
		uint8_t	 line[BASE64_LINE_OUT];

		buf_add(&want, line, (size_t)EVP_EncodeBlock(line, data + at,
		    (int)(len - at < BASE64_LINE_IN ? len - at :
		    BASE64_LINE_IN)));
		buf_adds(&want, "\r\n");
	}
	CHECK_INT(pieces_len(pieces), got.len);
	CHECK(got.len == want.len &&
	    (got.len == 0 || memcmp(got.data, want.data, got.len) == 0));
	free(copy);
	buf_free(&got);
	buf_free(&want);
	pieces_free(pieces);
}

/* Lengths around lines and buffers, whole and in runs, as OpenSSL has them. */
static void
test_base64(void)
{
	static const size_t	 lengths[] = { 47615, 47616, 47617, 95232,
	    95233, 100000 };
	static const size_t	 runs[] = { 1, 7, 48, 1000, 100000 };
	uint8_t			*binary = malloc(100000);

	REQUIRE(binary != NULL);
	for (size_t i = 0; i < 100000; i++)
		binary[i] = (uint8_t)(i * 2654435761u >> 13);
	test_row("base64 as OpenSSL makes it");
	for (size_t len = 0; len < 1000; len++)
		check_base64(binary, len, 1000);
	for (size_t i = 0; i < TEST_LEN(lengths); i++)
		for (size_t j = 0; j < TEST_LEN(runs); j++)
			check_base64(binary, lengths[i], runs[j]);
	free(binary);
}

/* A body of this many lines, through a spool with these limits. */
static void
spool_lines(const struct spool_options *options, size_t n)
{
	struct spool	*spool = spool_new(options);
	struct buf	 want = { 0 };
	struct err	 err = { 0 };
	const uint8_t	*got;
	size_t		 got_len;

	for (size_t i = 0; i < n; i++) {
		char	 line[32];
		int	 len = snprintf(line, sizeof(line), "line %zu\r\n", i);

		buf_add(&want, line, (size_t)len);
		REQUIRE_OK(spool_add(spool, line, (size_t)len, &err), err);
	}
	CHECK_INT(spool_len(spool), want.len);
	REQUIRE_OK(spool_bytes(spool, &got, &got_len, &err), err);
	CHECK(got_len == want.len &&
	    (want.len == 0 || memcmp(got, want.data, want.len) == 0));
	spool_free(spool);
	buf_free(&want);
}

static void
test_spool(void)
{
	const char		*dir = getenv("TMPDIR");
	struct spool_options	 options = { .memory_max = 256 * 1024 };
	struct spool		*spool, *several[6];
	struct err		 err = { 0 };
	const uint8_t		*got;
	size_t			 got_len;

	options.dir = dir != NULL ? dir : "/tmp";
	test_row("nothing");
	spool_lines(&options, 0);
	test_row("in memory");
	spool_lines(&options, 100);
	test_row("in memory, moving to larger pieces of it");
	spool_lines(&options, 8000);
	test_row("in a file");
	spool_lines(&options, 100000);
	test_row("in a file from the first byte");
	options.memory_max = 0;
	spool_lines(&options, 10);

	test_row("all together have no more memory than they may");
	options.memory_max = 256 * 1024;
	for (size_t i = 0; i < TEST_LEN(several); i++) {
		several[i] = spool_new(&options);
		spool_expect(several[i], 60000);
		CHECK(block_in_use() <= options.memory_max);
		CHECK_OK(spool_add(several[i], "0123456789", 10, &err), err);
		CHECK(block_in_use() <= options.memory_max);
	}
	CHECK_INT(block_in_use(), 256 * 1024);
	for (size_t i = 0; i < TEST_LEN(several); i++) {
		CHECK_OK(spool_bytes(several[i], &got, &got_len, &err), err);
		CHECK_MEM(got, got_len, "0123456789", 10);
		spool_free(several[i]);
	}
	CHECK_INT(block_in_use(), 0);

	test_row("more than is allowed is the mail's fault");
	options.max = 10;
	spool = spool_new(&options);
	CHECK_OK(spool_add(spool, "0123456789", 10, &err), err);
	CHECK(!spool_add(spool, "x", 1, &err));
	CHECK_INT(err.kind, ERR_MESSAGE);
	CHECK_INT(err.limit, LIMIT_MESSAGE_SIZE);
	spool_free(spool);

	test_row("all together have no more on disk than they may");
	options.max = 0;
	options.memory_max = 0;
	options.disk_max = 25;
	for (size_t i = 0; i < 3; i++) {
		several[i] = spool_new(&options);
		CHECK(spool_add(several[i], "0123456789", 10, &err) ==
		    (i < 2));
	}
	CHECK_INT(err.kind, ERR_TEMP);
	CHECK_INT(err.limit, LIMIT_SPOOL_DISK);
	CHECK_INT(spool_on_disk(), 20);
	CHECK(spool_is_file(several[0]));
	spool_free(several[0]);
	err_clear(&err);
	CHECK_OK(spool_add(several[2], "0123456789", 10, &err), err);
	spool_free(several[1]);
	spool_free(several[2]);
	CHECK_INT(spool_on_disk(), 0);

	test_row("no folder for the file: later");
	options = (struct spool_options){ .dir = "/nonexistent",
	    .memory_max = 4 };	/* no block is as small */
	spool = spool_new(&options);
	CHECK(!spool_add(spool, "0123456789", 10, &err));
	CHECK_INT(err.kind, ERR_TEMP);
	spool_free(spool);
	spool_free(NULL);
}

static uint8_t
numbered(size_t at)
{
	return (uint8_t)(at * 2654435761u >> 13);
}

/* A block of so many bytes, some of which tell where they are. */
static void
grow_to(struct block *block, size_t *used, size_t len, size_t budget)
{
	size_t	 wrong = 0;

	if (*used == 0)
		CHECK(block_take(block, len, budget));
	else if (len > block->cap)
		CHECK(block_grow(block, *used, len, budget));
	REQUIRE(block->data != NULL && block->cap >= len);
	CHECK(block_in_use() <= budget);
	for (size_t i = 0; i < len; i += 509) {
		wrong += i < *used && block->data[i] != numbered(i);
		block->data[i] = numbered(i);
	}
	CHECK_INT(wrong, 0);
	*used = len;
}

static void
test_block_grows(void)
{
	static const size_t	 budget = 64 * MIB;
	struct block		 one = { 0 }, other = { 0 };
	size_t			 used = 0, other_used = 0, cap;
	const uint8_t		*data;

	test_row("from the smallest to the largest");
	for (size_t len = 1; len <= budget; len *= 2)
		grow_to(&one, &used, len, budget);
	CHECK_INT(block_in_use(), budget);

	test_row("there is no more, and what there is stays");
	cap = one.cap;
	data = one.data;
	CHECK(!block_grow(&one, used, budget + 1, budget));
	CHECK(!block_grow(&one, used, SIZE_MAX, budget));
	CHECK(one.data == data && one.cap == cap);
	CHECK(!block_take(&other, 1, budget));
	block_give(&one, budget);
	CHECK_INT(block_in_use(), 0);

	test_row("what lies about is taken, and all of it");
	used = 0;
	grow_to(&one, &used, 16 * MIB, budget);
	data = one.data;
	block_give(&one, budget);
	used = 0;
	grow_to(&one, &used, 100000, budget);
	grow_to(&one, &used, 2 * MIB, budget);
	CHECK(one.data == data && one.cap == 16 * MIB);
	CHECK_INT(block_in_use(), 16 * MIB);

	test_row("a small one leaves it alone");
	block_give(&one, budget);
	grow_to(&other, &other_used, 100, budget);
	grow_to(&other, &other_used, 200000, budget);
	CHECK(other.data != data && other.cap < MIB);
	block_give(&other, budget);
	CHECK_INT(block_in_use(), 0);

	test_row("what is used last is kept, not what is large");
	used = 0;
	grow_to(&one, &used, 14 * MIB, budget);
	block_give(&one, budget);
	CHECK(block_take(&one, 5 * MIB, budget));
	one.data[0] = 'k';		/* new memory is 0 */
	block_give(&one, budget);
	CHECK(block_take(&one, 5 * MIB, budget));
	CHECK_INT(one.data[0], 'k');
	block_give(&one, budget);

	test_row("two in turn, up to the budget");
	used = other_used = 0;
	for (size_t len = 70000; len <= 28 * MIB; len += len / 3) {
		grow_to(&one, &used, len, budget);
		grow_to(&other, &other_used, len, budget);
	}
	block_give(&one, budget);
	block_give(&other, budget);
	CHECK_INT(block_in_use(), 0);
}

/* KiB of files that this process has in memory. */
static long
resident_files(void)
{
	FILE	*f = fopen("/proc/self/status", "r");
	char	 line[128];
	long	 n, sum = 0;

	REQUIRE(f != NULL);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "RssFile: %ld", &n) == 1 ||
		    sscanf(line, "RssShmem: %ld", &n) == 1)
			sum += n;
	fclose(f);
	return sum;
}

struct reader {
	size_t	 at;
	size_t	 next;		/* when to look at the memory again */
	long	 most;
	bool	 is_right;
};

static bool
read_numbers(void *arg, const uint8_t *data, size_t len, struct err *err)
{
	struct reader	*reader = arg;

	(void)err;
	for (size_t i = 0; i < len; i++, reader->at++)
		if (data[i] != (uint8_t)(reader->at * 2654435761u >> 13))
			reader->is_right = false;
	if (reader->at >= reader->next) {
		long	 now = resident_files();

		reader->most = now > reader->most ? now : reader->most;
		reader->next = reader->at + 500000;
	}
	return true;
}

/* A large mail on disk is read piece by piece, as often as one likes. */
static void
test_memory(void)
{
	const char		*dir = getenv("TMPDIR");
	struct spool_options	 options = { .dir = dir != NULL ? dir :
				    "/tmp" };
	struct spool		*spool = spool_new(&options);
	struct pieces		*pieces = pieces_new(), *parts = pieces_new();
	struct reader		 reader;
	uint8_t			 numbers[65536];
	const uint8_t		*bytes;
	size_t			 len, n = 16 * 1024 * 1024;
	long			 before = resident_files();
	struct err		 err = { 0 };

	for (size_t at = 0; at < n; at += sizeof(numbers)) {
		for (size_t i = 0; i < sizeof(numbers); i++)
			numbers[i] = (uint8_t)((at + i) * 2654435761u >> 13);
		REQUIRE_OK(spool_add(spool, numbers, sizeof(numbers), &err),
		    err);
	}
	REQUIRE_OK(spool_bytes(spool, &bytes, &len, &err), err);
	for (size_t at = 0; at < n; at += 1000)
		pieces_add(parts, bytes + at, n - at < 1000 ? n - at : 1000);
	REQUIRE_OK(pieces_add_spool_take(pieces, spool, &err), err);
	for (int i = 0; i < 4; i++) {
		test_row(i < 2 ? "all at once" : "in parts");
		reader = (struct reader){ .is_right = true };
		CHECK_OK(pieces_walk(i < 2 ? pieces : parts, read_numbers,
		    &reader, &err), err);
		CHECK_INT(reader.at, n);
		CHECK(reader.is_right);
		/* 16384 would be all of it. */
		CHECK(reader.most - before < 3000);
	}
	pieces_free(parts);
	pieces_free(pieces);
}

int
main(void)
{
	test_buf();
	test_pieces();
	test_base64();
	test_spool();
	test_block_grows();
	test_memory();
	return test_done("bytes");
}
