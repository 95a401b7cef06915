/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include <openssl/evp.h>

#include "base/base64.h"

static void
end_line(uint8_t *out)
{
	out[0] = '\r';
	out[1] = '\n';
}

/* EVP_EncodeBlock() writes a NUL behind, where CRLF goes. */
static void
lines_plain(uint8_t *out, const uint8_t *in, size_t n_lines)
{
	for (; n_lines > 0; n_lines--) {
		EVP_EncodeBlock(out, in, BASE64_LINE_IN);
		end_line(out + BASE64_LINE_OUT - 2);
		out += BASE64_LINE_OUT;
		in += BASE64_LINE_IN;
	}
}

#ifdef __x86_64__
/*
 * 24 bytes to 32 characters: Wojciech Mula and Daniel Lemire, "Faster Base64
 * Encoding and Decoding using AVX2 Instructions", 2018.  Each half of the
 * register takes 12 bytes, the upper one from 8 on, so that no byte behind
 * the 24 is read.
 */
__attribute__((target("avx2")))
static inline __m256i
encode_24(const uint8_t *in)
{
	const __m256i	 spread = _mm256_setr_epi8(
	    1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10,
	    5, 4, 6, 5, 8, 7, 9, 8, 11, 10, 12, 11, 14, 13, 15, 14);
	/* What is added to 26..51, to digits, "+", "/", and to 0..25. */
	const __m256i	 shift = _mm256_setr_epi8(
	    'A', 'a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
	    '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62,
	    '/' - 63, 0, 0,
	    'A', 'a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
	    '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62,
	    '/' - 63, 0, 0);
	__m256i		 bytes, high, low, sixes, which;

	bytes = _mm256_inserti128_si256(_mm256_castsi128_si256(
	    _mm_loadu_si128((const __m128i *)(const void *)in)),
	    _mm_loadu_si128((const __m128i *)(const void *)(in + 8)), 1);
	bytes = _mm256_shuffle_epi8(bytes, spread);
	/* Four times six bits in each 32, each moved to a byte of its own. */
	high = _mm256_mulhi_epu16(_mm256_and_si256(bytes,
	    _mm256_set1_epi32(0x0fc0fc00)), _mm256_set1_epi32(0x04000040));
	low = _mm256_mullo_epi16(_mm256_and_si256(bytes,
	    _mm256_set1_epi32(0x003f03f0)), _mm256_set1_epi32(0x01000010));
	sixes = _mm256_or_si256(high, low);
	/* 0..25: 0, 26..51: 1, 52..63: 2..13 */
	which = _mm256_sub_epi8(_mm256_subs_epu8(sixes,
	    _mm256_set1_epi8(51)), _mm256_cmpgt_epi8(sixes,
	    _mm256_set1_epi8(25)));
	return _mm256_add_epi8(sixes, _mm256_shuffle_epi8(shift, which));
}

__attribute__((target("avx2")))
static void
lines_avx2(uint8_t *out, const uint8_t *in, size_t n_lines)
{
	for (; n_lines > 0; n_lines--) {
		_mm256_storeu_si256((__m256i *)(void *)out, encode_24(in));
		_mm256_storeu_si256((__m256i *)(void *)(out + 32),
		    encode_24(in + 24));
		end_line(out + BASE64_LINE_OUT - 2);
		out += BASE64_LINE_OUT;
		in += BASE64_LINE_IN;
	}
}
#endif

void
base64_lines(uint8_t *out, const uint8_t *in, size_t n_lines)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2")) {
		lines_avx2(out, in, n_lines);
		return;
	}
#endif
	lines_plain(out, in, n_lines);
}

size_t
base64_last(uint8_t out[BASE64_LINE_OUT], const uint8_t *in, size_t len)
{
	size_t	 n = (size_t)EVP_EncodeBlock(out, in, (int)len);

	end_line(out + n);
	return n + 2;
}

size_t
base64_len(size_t len)
{
	size_t	 rest = len % BASE64_LINE_IN;

	return len / BASE64_LINE_IN * BASE64_LINE_OUT +
	    (rest == 0 ? 0 : (rest + 2) / 3 * 4 + 2);
}
