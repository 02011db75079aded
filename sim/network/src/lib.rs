//! Network engines: transfers in, completion times out.
