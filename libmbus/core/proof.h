/*
 * proof.h - a client finds out whether the broker is on the bus of its configuration, and neither
 * tells its keys (spec/attach.md, "Which bus").
 *
 * The broker gives a nonce, the client answers with an HMAC by its hash key of a label, the nonce
 * and what else makes a bus the same: scope, group and port, cipher and its key. What is covered
 * begins with a letter that nothing else begins with that is digested with these keys
 * (core/stream.h), and is no multiple of a cipher's block, so that it is a message of no bus.
 */
#ifndef MBUS_CORE_PROOF_H
#define MBUS_CORE_PROOF_H

#include "crypto.h"

#define PROOF_NONCE_SIZE 16
/* A nonce as hexadecimal digits in lower case. */
#define PROOF_NONCE_TEXT_SIZE (2 * PROOF_NONCE_SIZE)
/* HMAC cut to 96 bits, in base64. */
#define PROOF_SIZE 16

/* @crypto is of @config, whose bus is at @where, "GROUP:PORT" of at most 64 octets. */
void proof_make(struct crypto *crypto, const struct config *config, struct span where,
                const uint8_t nonce[static PROOF_NONCE_SIZE], char ret_proof[static PROOF_SIZE]);
/* Whether @text is that proof, in a time that does not depend on where it differs. */
bool proof_check(struct crypto *crypto, const struct config *config, struct span where,
                 const uint8_t nonce[static PROOF_NONCE_SIZE], struct span text);

void proof_format_nonce(const uint8_t nonce[static PROOF_NONCE_SIZE],
                        char ret_text[static PROOF_NONCE_TEXT_SIZE]);
/* False if @text is no nonce. */
bool proof_parse_nonce(struct span text, uint8_t ret_nonce[static PROOF_NONCE_SIZE]);

#endif
