//! The native table: every function of the runtime that compiled code may call.
//!
//! The table is one macro, [`for_each_native`]; the compiler reads it as data ([`NATIVES`]), the runtime expands it to link
//! addresses, and a test compares it with the declarations in `stdlib/*.weir`, which carry signature and documentation.
//!
//! A native is `extern "C" fn(ctx: *mut Ctx, [TypeId words,] words...) -> word`. Row form:
//!
//! ```text
//! rust_name "weir-name" [types] (param modes) result, effects, cost;
//! ```
//! Those that keep all registers (see [`crate::preserving_entry`]) find the `Ctx` in the pinned register and the words where
//! they would be without it.
//!
//! - `types`: one leading word per type variable of the Weir signature (a [`crate::types::TypeId`]); `-` for none
//! - param modes: `own` (the native consumes a reference), `borrow` (the caller keeps it), `word` (no reference; for a
//!   parameter whose type is a type variable `own`/`borrow` apply when the instance's type is a reference)
//! - result: `word`, `owned`, or `never`. A native that changes its first argument (`var` in the declaration, `own` in the
//!   row) gives the new value of that, `owned`; with a result of its own besides it is `both`, and the result goes into
//!   [`crate::context::Ctx::second`]
//! - effects: `pure`, `traps` (may trap), `waits` (may suspend its fiber, and trap)
//! - cost: `constant`, or `linear` in the size of its arguments

/// How an argument is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The native takes over the reference.
    Own,
    /// The caller keeps the reference.
    Borrow,
    /// Not a reference.
    Word,
}

/// What a native gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// A word that is no reference.
    Word,
    /// An owned reference (or an option of one), or a word where the instance's type is one.
    Owned,
    /// The new value of its first argument, owned; and besides, in [`crate::context::Ctx::second`], its result, likewise owned
    /// where it is a reference.
    Both,
    /// It does not return.
    Never,
}

/// What a native may do besides computing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Nothing.
    Pure,
    /// It may trap.
    Traps,
    /// It may suspend its fiber, and trap.
    Waits,
}

/// How its time grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Not with its arguments.
    Constant,
    /// With the size of its arguments.
    Linear,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Native {
    /// As in `= native "..."`.
    pub name: &'static str,
    /// Whether it takes its type variables as leading words.
    pub types: bool,
    /// Its parameters, without context and types.
    pub params: &'static [Mode],
    /// Its result.
    pub gives: Gives,
    /// Its effects.
    pub effect: Effect,
    /// Its cost class.
    pub cost: Cost,
}

/// A row of [`NATIVES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NativeId(pub u16);

impl NativeId {
    /// The native of that name.
    pub fn named(name: &str) -> Option<Self> {
        NATIVES.iter().position(|n| n.name == name).map(|i| Self(i as u16))
    }

    /// Its row.
    pub fn row(self) -> &'static Native {
        &NATIVES[self.0 as usize]
    }
}

/// Calls `$with!` with all rows.
#[macro_export]
macro_rules! for_each_native {
    ($with:ident) => {
        $with! {
            // What compiled code itself needs; not callable from Weir.
            alloc "alloc" - (word word) owned, traps, constant;             // size in bytes, first word -> object, payload not initialised
            refill "refill" - (word) word, traps, constant;                 // a class whose quick list is empty; gives nothing, keeps all registers
            free "free" - (own) word, pure, linear;                         // an object whose count just fell to 0, with all it alone holds
            stop "stop" - () word, waits, constant;                         // the stack pointer is below the limit; gives nothing, keeps all registers
            trap "trap" - (word word word) never, traps, constant;          // kind, two words of detail
            object_copy "object-copy" - (own) owned, waits, linear;         // the object as one that nobody else holds
            text_concat "text-concat" - (word word) owned, waits, linear;   // address and number of (part kind, word) pairs, see `part`
            text_append "text-append" - (own word word) owned, waits, linear; // a text, parts as for text-concat
            text_equal "text-equal" - (borrow borrow) word, pure, linear;
            text_less "text-less" - (borrow borrow) word, pure, linear;
            value_equal "value-equal" types (borrow borrow) word, waits, linear;
            value_less "value-less" types (borrow borrow) word, waits, linear;
            value_less_equal "value-less-equal" types (borrow borrow) word, waits, linear;
            value_shown "value-shown" types (borrow) owned, traps, linear;  // the text form inside other values, cut
            assert_failed "assert-failed" - (borrow) never, traps, constant;
            format_int "format-int" - (word word) owned, traps, constant;   // value, packed `format::Format`
            format_float "format-float" - (word word) owned, traps, constant;
            format_value "format-value" types (borrow word) owned, traps, linear;
            list_new "list-new" - (word word) owned, traps, constant;       // shape, capacity -> empty list
            map_new "map-new" - () owned, traps, constant;                  // an empty Map or Set
            respond_text "respond-text" - (own) owned, traps, constant;
            respond_lines "respond-lines" - (own) owned, traps, constant;
            respond_bytes "respond-bytes" - (own) owned, traps, constant;
            respond_chunks "respond-chunks" - (own) owned, traps, constant;
            respond_error "respond-error" - (own) owned, traps, constant;    // an Error
            respond_empty "respond-empty" - (word) owned, traps, constant;  // status
            // prelude
            print "print" types (borrow) word, waits, linear;
            warn "warn" types (borrow) word, traps, linear;
            env "env" - (borrow) owned, traps, linear;
            args "args" - () owned, traps, linear;
            panic "panic" - (borrow) never, traps, constant;
            sleep "sleep" - (word) word, waits, constant;
            every "every" - (word) owned, traps, constant;
            stdin "stdin" - () owned, traps, constant;
            file_lines "file-lines" - (borrow) owned, traps, linear;
            tail_file "tail-file" - (borrow word word) owned, traps, linear; // path, lines to begin with, whether all of them
            background_start "background-start" - (own) word, waits, linear;
            exec_stream "exec-stream" - (borrow borrow borrow borrow) owned, traps, linear; // program and arguments, folder, names and values of variables
            fetch_ask "fetch-ask" types (borrow borrow own borrow) owned, waits, linear;
            fetch_lines "fetch-lines" types (borrow borrow own borrow) owned, traps, linear;
            respond "respond" - (word own borrow) owned, traps, linear;
            file_response "file-response" - (borrow borrow borrow) owned, waits, linear; // path, folder, content type
            response_status "response-status" - (borrow) word, traps, constant;
            response_header "response-header" - (borrow borrow) owned, traps, linear;
            response_header_all "response-header-all" - (borrow borrow) owned, traps, linear;
            response_with_header "response-with-header" - (own borrow borrow) owned, traps, linear;
            response_add_header "response-add-header" - (own borrow borrow) owned, traps, linear;
            response_without_header "response-without-header" - (own borrow) owned, traps, linear;
            response_with_status "response-with-status" - (own word) owned, traps, constant;
            response_made "response-made" - (own word borrow borrow) owned, traps, linear;
            cookie_pair "cookie-pair" - (borrow borrow) owned, traps, linear;
            request_cookies "request-cookies" - (borrow) owned, traps, constant;
            request_last_event_id "request-last-event-id" - (borrow) owned, traps, linear;
            request_id "request-id" - (borrow) owned, traps, constant;
            request_ip "request-ip" - (borrow) owned, traps, constant;
            cookies_get "cookies-get" - (borrow borrow) owned, traps, linear;
            cookies_all "cookies-all" - (borrow) owned, traps, linear;
            event_text "event-text" - (borrow borrow word borrow word) owned, traps, linear;
            respond_events "respond-events" - (own word borrow word word) owned, traps, constant;
            redirect "redirect" - (borrow word) owned, traps, linear;
            value_compare "value-compare" types (borrow borrow) word, waits, linear;
            value_hash "value-hash" types (borrow) word, pure, linear;
            // Int
            int_pow "int-pow" - (word word) word, traps, constant;
            int_bit_and "int-bit-and" - (word word) word, pure, constant;
            int_bit_or "int-bit-or" - (word word) word, pure, constant;
            int_bit_xor "int-bit-xor" - (word word) word, pure, constant;
            int_shift_left "int-shift-left" - (word word) word, traps, constant;
            int_shift_right "int-shift-right" - (word word) word, traps, constant;
            int_to_float "int-to-float" - (word) word, pure, constant;
            // Float
            float_rem "float-rem" - (word word) word, pure, constant;
            float_floor "float-floor" - (word) word, pure, constant;
            float_ceil "float-ceil" - (word) word, pure, constant;
            float_round "float-round" - (word) word, pure, constant;
            float_trunc "float-trunc" - (word) word, pure, constant;
            float_to_int "float-to-int" - (word) word, traps, constant;
            // math
            math_sqrt "math-sqrt" - (word) word, pure, constant;
            math_pow "math-pow" - (word word) word, pure, constant;
            math_sin "math-sin" - (word) word, pure, constant;
            math_cos "math-cos" - (word) word, pure, constant;
            math_tan "math-tan" - (word) word, pure, constant;
            math_atan2 "math-atan2" - (word word) word, pure, constant;
            math_exp "math-exp" - (word) word, pure, constant;
            math_log "math-log" - (word) word, pure, constant;
            math_asin "math-asin" - (word) word, pure, constant;
            math_acos "math-acos" - (word) word, pure, constant;
            math_atan "math-atan" - (word) word, pure, constant;
            math_sinh "math-sinh" - (word) word, pure, constant;
            math_cosh "math-cosh" - (word) word, pure, constant;
            math_tanh "math-tanh" - (word) word, pure, constant;
            math_log2 "math-log2" - (word) word, pure, constant;
            math_log10 "math-log10" - (word) word, pure, constant;
            math_cbrt "math-cbrt" - (word) word, pure, constant;
            math_hypot "math-hypot" - (word word) word, pure, constant;
            // Text
            text_len "text-len" - (borrow) word, pure, constant;
            text_upper "text-upper" - (borrow) owned, waits, linear;
            text_lower "text-lower" - (borrow) owned, waits, linear;
            text_trim "text-trim" - (own) owned, waits, linear;
            text_trim_start "text-trim-start" - (own) owned, waits, linear;
            text_trim_end "text-trim-end" - (own) owned, waits, linear;
            text_contains "text-contains" - (borrow borrow) word, waits, linear;
            text_starts_with "text-starts-with" - (borrow borrow) word, pure, linear;
            text_ends_with "text-ends-with" - (borrow borrow) word, pure, linear;
            text_find "text-find" - (borrow borrow) owned, waits, linear;
            text_split "text-split" - (borrow borrow) owned, waits, linear;
            text_lines "text-lines" - (borrow) owned, waits, linear;
            text_chars "text-chars" - (borrow) owned, waits, linear;
            text_byte "text-byte" - (borrow word) word, traps, constant;
            text_replace "text-replace" - (borrow borrow borrow) owned, waits, linear;
            text_repeat "text-repeat" - (borrow word) owned, waits, linear;
            text_pad_start "text-pad-start" - (borrow word borrow) owned, waits, linear;
            text_pad_end "text-pad-end" - (borrow word borrow) owned, waits, linear;
            text_words "text-words" - (borrow) owned, waits, linear;
            text_count "text-count" - (borrow borrow) word, waits, linear;
            text_find_last "text-find-last" - (borrow borrow) owned, waits, linear;
            text_code_point "text-code-point" - (borrow) owned, traps, constant;
            text_from_code_point "text-from-code-point" - (word) owned, traps, constant;
            text_is_digits "text-is-digits" - (borrow) word, waits, linear;
            text_is_letters "text-is-letters" - (borrow) word, waits, linear;
            text_to_int "text-to-int" - (borrow) owned, waits, linear;
            text_to_float "text-to-float" - (borrow) owned, waits, linear;
            text_slice "text-slice" - (own word word) owned, traps, constant;
            text_to_bytes "text-to-bytes" - (own) owned, traps, constant;
            // Bytes
            bytes_len "bytes-len" - (borrow) word, pure, constant;
            bytes_at "bytes-at" - (borrow word) word, traps, constant;
            bytes_slice "bytes-slice" - (own word word) owned, traps, constant;
            bytes_concat "bytes-concat" - (borrow borrow) owned, waits, linear;
            bytes_to_text "bytes-to-text" - (own) owned, waits, linear;
            bytes_to_text_lossy "bytes-to-text-lossy" - (borrow) owned, waits, linear;
            bytes_find "bytes-find" - (borrow borrow) owned, waits, linear;
            bytes_starts_with "bytes-starts-with" - (borrow borrow) word, pure, linear;
            bytes_ends_with "bytes-ends-with" - (borrow borrow) word, pure, linear;
            bytes_to_hex "bytes-to-hex" - (borrow) owned, waits, linear;
            bytes_from_hex "bytes-from-hex" - (borrow) owned, waits, linear;
            bytes_to_base64 "bytes-to-base64" - (borrow word) owned, waits, linear;
            bytes_from_base64 "bytes-from-base64" - (borrow) owned, waits, linear;
            // List
            list_len "list-len" - (borrow) word, pure, constant;
            list_push "list-push" - (own own) owned, waits, constant;
            list_take_last "list-take-last" - (own) both, waits, constant;
            list_insert "list-insert" - (own word own) owned, waits, linear;
            list_remove "list-remove" - (own word) both, waits, linear;
            list_truncate "list-truncate" - (own word) owned, waits, linear;
            list_append "list-append" - (own own) owned, waits, linear;
            list_reverse "list-reverse" - (own) owned, waits, linear;
            list_slice "list-slice" - (own word word) owned, waits, linear;
            list_sort "list-sort" types (own) owned, waits, linear;
            list_order "list-order" types (borrow) owned, waits, linear;
            list_join "list-join" - (borrow borrow) owned, waits, linear;
            list_sum "list-sum" types (borrow) owned, waits, linear;
            list_stream "list-stream" - (own) owned, traps, constant;
            // Map
            map_len "map-len" - (borrow) word, pure, constant;
            map_find "map-find" types (borrow borrow) word, pure, linear;
            map_value "map-value" types (borrow word) owned, traps, constant;
            map_missing "map-missing" types (borrow) never, traps, linear;
            map_insert "map-insert" types (own own own) owned, waits, linear;
            map_remove "map-remove" types (own borrow) owned, waits, linear;
            map_keys "map-keys" types (borrow) owned, waits, linear;
            map_values "map-values" types (borrow) owned, waits, linear;
            // Set
            set_len "set-len" - (borrow) word, pure, constant;
            set_contains "set-contains" types (borrow borrow) word, pure, linear;
            set_insert "set-insert" types (own own) owned, waits, linear;
            set_remove "set-remove" types (own borrow) owned, waits, linear;
            set_list "set-list" types (borrow) owned, waits, linear;
            // Range
            range_len "range-len" - (borrow) word, traps, constant;
            range_contains "range-contains" - (borrow word) word, pure, constant;
            range_stream "range-stream" - (borrow) owned, traps, constant;
            // Duration and Time
            duration_seconds "duration-seconds" - (word) word, pure, constant;
            duration_milliseconds "duration-milliseconds" - (word) word, pure, constant;
            duration_microseconds "duration-microseconds" - (word) word, pure, constant;
            duration_nanoseconds "duration-nanoseconds" - (word) word, pure, constant;
            time_now "time-now" - () word, pure, constant;
            time_seconds "time-seconds" - (word) word, pure, constant;
            time_milliseconds "time-milliseconds" - (word) word, pure, constant;
            time_microseconds "time-microseconds" - (word) word, pure, constant;
            time_monotonic "time-monotonic" - () word, pure, constant;
            time_from_seconds "time-from-seconds" - (word) word, traps, constant;
            time_from_milliseconds "time-from-milliseconds" - (word) word, traps, constant;
            time_has_zone "time-has-zone" - (borrow) word, pure, constant;
            time_format "time-format" - (word borrow borrow) owned, traps, linear;
            time_iso "time-iso" - (word borrow) owned, traps, constant;
            time_http "time-http" - (word) owned, traps, constant;
            time_parts "time-parts" - (word borrow) owned, traps, constant;
            time_add "time-add" - (word borrow borrow) word, traps, constant;
            time_start_of "time-start-of" - (word borrow borrow) word, traps, constant;
            // Error
            failure_kind "failure-kind" - () owned, traps, constant;
            failure_message "failure-message" - () owned, traps, linear;
            failure_status "failure-status" - () word, traps, constant;               // not pure: the last failure decides
            call_place "call-place" - () owned, traps, linear;
            fail_program "fail-program" - (borrow) word, traps, linear;
            // JSON
            json_encode "json-encode" types (borrow word) owned, waits, linear;
            json_decode "json-decode" types (borrow word) owned, waits, linear;
            respond_json "respond-json" types (borrow word) owned, waits, linear;
            // Stream
            stream_own "stream-own" - (own) owned, traps, constant;
            stream_next "stream-next" types (borrow) owned, waits, constant;
            stream_close "stream-close" - (own) word, waits, constant;
            stream_failed "stream-failed" - () word, traps, constant;                 // not pure: the last pull decides
            stream_map "stream-map" types (own own) owned, traps, constant;
            stream_filter "stream-filter" types (own own) owned, traps, constant;
            stream_take "stream-take" - (own word) owned, traps, constant;
            stream_take_while "stream-take-while" types (own own) owned, traps, constant;
            stream_drop "stream-drop" types (own word) owned, traps, constant;
            stream_drop_while "stream-drop-while" types (own own) owned, traps, constant;
            stream_scan "stream-scan" types (own own own) owned, traps, constant;
            stream_indexed "stream-indexed" types (own own) owned, traps, constant;
            stream_chunks "stream-chunks" types (own word) owned, traps, constant;
            stream_distinct "stream-distinct" types (own) owned, traps, constant;
            stream_changes "stream-changes" types (own) owned, traps, constant;
            stream_flatten "stream-flatten" - (own) owned, traps, constant;
            stream_results "stream-results" types (own own own) owned, traps, constant;
            stream_unwrapped "stream-unwrapped" types (own) owned, traps, constant;
            stream_somes "stream-somes" types (own) owned, traps, constant;
            stream_generate "stream-generate" - (own) owned, traps, constant;
            stream_yield "stream-yield" - (own) word, waits, constant;
            // deferred
            defer_depth "defer-depth" - () word, traps, constant;                     // not pure: what is put off decides
            defer_push "defer-push" - (own) word, traps, constant;
            defer_pop "defer-pop" - (word) owned, traps, constant;
            defer_failed "defer-failed" - (borrow) word, traps, linear;
            stream_timeout "stream-timeout" - (own word) owned, traps, constant;
            stream_throttle "stream-throttle" - (own word) owned, traps, constant;
            stream_heartbeat "stream-heartbeat" types (own word own) owned, traps, constant;
            stream_buffer "stream-buffer" types (own word) owned, traps, constant;
            stream_merge "stream-merge" - (own) owned, traps, linear;
            stream_zip "stream-zip" types (own own own) owned, traps, constant;
            // Task
            task_start "task-start" types (own) owned, traps, constant;
            task_wait "task-wait" types (borrow) owned, waits, constant;
            task_cancel "task-cancel" - (borrow) word, traps, linear;
            group_new "group-new" - () owned, traps, constant;
            group_start "group-start" types (borrow own) word, traps, constant;
            group_next "group-next" - (borrow) word, waits, constant;
            group_next_within "group-next-within" - (borrow word) word, waits, constant;
            group_peek "group-peek" types (borrow word) owned, traps, constant;
            group_take "group-take" types (borrow word) owned, traps, constant;
            // Channel
            channel_new "channel-new" types (word) owned, traps, constant;
            channel_send "channel-send" types (borrow own) word, waits, constant;
            channel_receive "channel-receive" types (borrow) owned, waits, constant;
            channel_close "channel-close" - (borrow) word, traps, linear;
            channel_stream "channel-stream" - (own) owned, traps, constant;
            // Request
            request_route "request-route" - () word, traps, constant;                 // not pure: the request decides
            route_int "route-int" - (word) word, traps, constant;                     // likewise, as the next ones
            route_float "route-float" - (word) word, traps, constant;
            route_bool "route-bool" - (word) word, traps, constant;
            route_text "route-text" - (word) owned, traps, linear;
            respond_unrouted "respond-unrouted" - () owned, traps, constant;
            request_method "request-method" - (borrow) owned, traps, constant;
            request_path "request-path" - (borrow) owned, traps, linear;
            request_query "request-query" - (borrow) owned, traps, constant;
            request_headers "request-headers" - (borrow) owned, traps, constant;
            request_bytes "request-bytes" - (borrow) owned, waits, linear;
            request_text "request-text" - (borrow) owned, waits, linear;
            request_lines "request-lines" - (borrow) owned, traps, constant;
            request_chunks "request-chunks" - (borrow) owned, traps, constant;
            request_json "request-json" types (borrow word) owned, waits, linear;
            query_get "query-get" - (borrow borrow) owned, traps, linear;
            query_all "query-all" - (borrow borrow) owned, traps, linear;
            headers_get "headers-get" - (borrow borrow) owned, traps, linear;
            headers_all "headers-all" - (borrow borrow) owned, traps, linear;
            // Answer
            answer_status "answer-status" - (borrow) word, pure, constant;
            answer_url "answer-url" - (borrow) owned, traps, linear;
            answer_headers "answer-headers" - (borrow) owned, traps, constant;
            answer_lines "answer-lines" - (borrow) owned, traps, constant;
            answer_chunks "answer-chunks" - (borrow) owned, traps, constant;
            answer_text "answer-text" - (borrow) owned, waits, linear;
            answer_bytes "answer-bytes" - (borrow) owned, waits, linear;
            answer_json "answer-json" types (borrow word) owned, waits, linear;
            // path
            path_join "path-join" - (borrow borrow) owned, traps, linear;
            path_parent "path-parent" - (borrow) owned, traps, linear;
            path_name "path-name" - (borrow) owned, traps, linear;
            path_stem "path-stem" - (borrow) owned, traps, linear;
            path_extension "path-extension" - (borrow) owned, traps, linear;
            path_normalise "path-normalise" - (borrow) owned, traps, linear;
            // html
            html_escape "html-escape" - (borrow) owned, waits, linear;
            // url
            url_encode "url-encode" - (borrow) owned, waits, linear;
            url_decode "url-decode" - (borrow) owned, waits, linear;
            // random
            random_seed "random-seed" - (word) word, traps, constant;   // an effect, though it never traps
            random_int "random-int" - (borrow) word, traps, constant;
            random_float "random-float" - () word, traps, constant;
            random_shuffle "random-shuffle" - (own) owned, waits, linear;
            // regex
            regex_is_match "regex-is-match" - (borrow borrow) word, waits, linear;
            regex_spans "regex-spans" - (borrow borrow word word) owned, waits, linear;
            regex_replace "regex-replace" - (borrow borrow borrow) owned, waits, linear;
            regex_names "regex-names" - (borrow) owned, waits, linear;
            regex_escape "regex-escape" - (borrow) owned, waits, linear;
            regex_problem "regex-problem" - (borrow) owned, waits, linear;
            url_parts "url-parts" - (borrow) owned, waits, linear;
            url_resolve "url-resolve" - (borrow borrow) owned, waits, linear;
            // time and duration, from texts
            time_parse "time-parse" - (borrow borrow) owned, traps, linear;
            time_parse_as "time-parse-as" - (borrow borrow borrow) owned, traps, linear;
            time_of "time-of" - (borrow borrow) owned, traps, constant;
            duration_parse "duration-parse" - (borrow) owned, traps, linear;
            // fs
            fs_read "fs-read" - (borrow) owned, waits, linear;
            fs_write "fs-write" - (borrow borrow word) word, waits, linear;
            fs_read_bytes "fs-read-bytes" - (borrow) owned, waits, linear;
            fs_write_bytes "fs-write-bytes" - (borrow borrow word) word, waits, linear;
            fs_append "fs-append" - (borrow borrow) word, waits, linear;
            fs_list "fs-list" - (borrow) owned, waits, linear;
            fs_stat "fs-stat" - (borrow word) owned, waits, linear;
            fs_kind "fs-kind" - (borrow) word, waits, linear;
            fs_remove "fs-remove" - (borrow word) word, waits, linear;
            fs_make_dir "fs-make-dir" - (borrow) word, waits, linear;
            fs_rename "fs-rename" - (borrow borrow) word, waits, linear;
            fs_copy "fs-copy" - (borrow borrow) word, waits, linear;
            fs_temporary "fs-temporary" - (word) owned, waits, linear;
            // process
            process_run "process-run" - (borrow borrow borrow word) owned, waits, linear;
            process_id "process-id" - () word, pure, constant;
            process_dir "process-dir" - () owned, traps, linear;
            env_all "env-all" - () owned, traps, linear;
            // store
            store_open "store-open" types (borrow borrow) owned, waits, constant;
            store_find "store-find" - (borrow borrow) owned, waits, constant;
            store_value "store-value" types (borrow borrow) owned, waits, linear;
            store_set "store-set" types (borrow borrow borrow borrow) word, waits, linear;
            store_swap "store-swap" types (borrow borrow borrow borrow) word, waits, linear;
            store_still "store-still" - () word, traps, constant;
            store_still_no_more "store-still-no-more" - () word, traps, constant;
            store_delete "store-delete" - (borrow borrow) word, waits, constant;
            store_keys "store-keys" - (borrow borrow) owned, waits, linear;
            store_len "store-len" - (borrow) word, waits, linear;
            // topic
            topic_open "topic-open" types (borrow) owned, traps, constant;
            topic_publish "topic-publish" types (borrow borrow) word, waits, linear;
            topic_subscribe "topic-subscribe" types (borrow word word) owned, traps, constant;
            share_open "share-open" types (own) owned, traps, constant;
            share_subscribe "share-subscribe" types (borrow word word) owned, traps, constant;
            share_subscribers "share-subscribers" - (borrow) word, traps, constant;
            topic_subscribers "topic-subscribers" - (borrow) word, traps, constant;
            // repl
            repl_keep "repl-keep" types (borrow word) word, traps, linear;
            repl_value "repl-value" types (word) owned, waits, linear;
            repl_show "repl-show" types (borrow) word, traps, linear;
            // log
            log_write "log-write" types (word borrow borrow) word, traps, linear;
            // csv
            csv_row_end "csv-row-end" - (borrow word borrow) word, traps, linear;
            csv_fields "csv-fields" - (borrow word borrow) owned, traps, linear;
            csv_line "csv-line" - (borrow borrow) owned, traps, linear;
            // crypto
            crypto_sha1 "crypto-sha1" - (borrow) owned, waits, linear;
            crypto_sha256 "crypto-sha256" - (borrow) owned, waits, linear;
            crypto_sha512 "crypto-sha512" - (borrow) owned, waits, linear;
            crypto_hmac_sha256 "crypto-hmac-sha256" - (borrow borrow) owned, waits, linear;
            crypto_equal "crypto-equal" - (borrow borrow) word, waits, linear;
            crypto_uuid "crypto-uuid" - () owned, traps, constant;
            crypto_ordered_uuid "crypto-ordered-uuid" - () owned, traps, constant;
            crypto_token "crypto-token" - (word) owned, traps, linear;
        }
    };
}

macro_rules! rows {
    ($($rust:ident $name:literal $types:tt ($($mode:ident)*) $gives:ident, $effect:ident, $cost:ident;)*) => {
        /// All natives, in the order of the table.
        pub static NATIVES: &[Native] = &[$(Native {
            name: $name,
            types: rows!(@types $types),
            params: &[$(rows!(@mode $mode)),*],
            gives: rows!(@gives $gives),
            effect: rows!(@effect $effect),
            cost: rows!(@cost $cost),
        }),*];
    };
    (@types -) => { false };
    (@types types) => { true };
    (@mode own) => { Mode::Own };
    (@mode borrow) => { Mode::Borrow };
    (@mode word) => { Mode::Word };
    (@gives word) => { Gives::Word };
    (@gives owned) => { Gives::Owned };
    (@gives both) => { Gives::Both };
    (@gives never) => { Gives::Never };
    (@effect pure) => { Effect::Pure };
    (@effect traps) => { Effect::Traps };
    (@effect waits) => { Effect::Waits };
    (@cost constant) => { Cost::Constant };
    (@cost linear) => { Cost::Linear };
}
for_each_native!(rows);

/// Kinds of the parts that `text-concat` joins; each part is two words, kind and value.
pub mod part {
    /// The value is a Text (borrowed).
    pub const TEXT: u64 = 0;
    /// The value is an Int.
    pub const INT: u64 = 1;
    /// The value is of the type with the index `kind - TYPE` (borrowed).
    pub const TYPE: u64 = 16;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_found() {
        let names: HashSet<_> = NATIVES.iter().map(|n| n.name).collect();
        assert_eq!(names.len(), NATIVES.len());
        assert_eq!(NativeId::named("text-upper").map(|n| n.row().name), Some("text-upper"));
        assert_eq!(NativeId::named("no-such"), None);
    }
}
