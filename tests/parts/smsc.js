// A real message centre (node-smpp) with scripted answers, for tests.
//
//     smsc.js CERTIFICATE KEY
//
// Prints one JSON object a line: first its ports, then what happens. Each line on standard
// input is a JSON object of orders, answered by `settled` when they are carried out; it
// ends when standard input closes. Orders:
//   bind: status for binds from now on, or "silent", or "cut" (taken, then cut)
//   submit: a list, one entry for each of the next submits: "ok", a status, "silent",
//     "cut" (cut without an answer), "half" (half an answer, then cut), "early" (the
//     receipt, then the answer), "same" (both in one segment)
//   ids: "decimal" or "hexadecimal" for ids in answers from now on
//   enquire: whether questions for a sign of life are answered from now on
//   deliver: fields of a deliver_sm for every bound connection; `data` of a data_sm
//   raw: octets in hexadecimal for every bound connection
//   unbind, cut: take leave of every bound connection, or cut it
'use strict';

const fs = require('fs');
const readline = require('readline');
const smpp = require('smpp');

const say = (event, members) => console.log(JSON.stringify({ event, ...members }));
const script = { bind: 0, submit: [], ids: 'decimal', enquire: true };
const bound = new Set();
let lastId = 6698;

// Times as they came, not as dates.
smpp.filters.time.decode = (text) => String(text);
// The octets as they came, beside what the library makes of them.
const decode = smpp.filters.message.decode;
smpp.filters.message.decode = function (octets, skip) {
    const read = decode.call(this, octets, skip);
    return { ...read, octets: octets.toString('hex') };
};

function listener(tls) {
    return (session) => {
        session.on('error', () => session.destroy());
        session.on('close', () => {
            bound.delete(session);
            say('closed', {});
        });
        for (const bind of ['bind_transceiver', 'bind_transmitter']) {
            session.on(bind, (pdu) => answerBind(session, pdu, tls));
        }
        session.on('submit_sm', (pdu) => answerSubmit(session, pdu));
        session.on('enquire_link', (pdu) => {
            say('enquire_link', {});
            if (script.enquire) session.send(pdu.response());
        });
        session.on('unbind', (pdu) => {
            say('unbind', {});
            session.send(pdu.response());
            session.close();
        });
        for (const heard of ['deliver_sm_resp', 'data_sm_resp', 'unbind_resp', 'generic_nack', 'enquire_link_resp']) {
            session.on(heard, (pdu) => say(heard, { status: pdu.command_status, sequence: pdu.sequence_number }));
        }
    };
}

function answerBind(session, pdu, tls) {
    const { command, system_id, password, system_type, interface_version } = pdu;
    say('bind', { tls, command, system_id, password, system_type, interface_version });
    if (script.bind === 'silent') return;
    const command_status = script.bind === 'cut' ? 0 : script.bind;
    if (command_status === 0) bound.add(session);
    session.send(pdu.response({ command_status, system_id: 'smsc' }), () => {
        if (script.bind === 'cut') session.close();
    });
}

function answerSubmit(session, pdu) {
    const id = ++lastId;
    const answered = script.ids === 'hexadecimal' ? id.toString(16).toUpperCase() : String(id);
    const { message, udh, octets } = pdu.short_message;
    say('submit', {
        id: answered,
        decimal: String(id),
        sequence: pdu.sequence_number,
        source: [pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr],
        destination: [pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr],
        esm_class: pdu.esm_class,
        data_coding: pdu.data_coding,
        validity: pdu.validity_period,
        registered: pdu.registered_delivery,
        text: message,
        header: udh ? udh.map((part) => part.toString('hex')) : [],
        octets,
    });
    const answer = pdu.response({ message_id: answered });
    const receipt = new smpp.PDU('deliver_sm', {
        esm_class: 4,
        short_message: `id:${id} sub:001 dlvrd:001 stat:DELIVRD err:000 text:`,
        sequence_number: 7000 + session.sequence++,
    });
    const next = script.submit.length > 0 ? script.submit.shift() : 'ok';
    switch (next) {
        case 'ok': return session.send(answer);
        case 'silent': return undefined;
        case 'cut': return session.destroy();
        case 'half': return session.socket.write(answer.toBuffer().subarray(0, 14), () => session.close());
        case 'early': session.send(receipt); return session.send(answer);
        case 'same': return session.socket.write(Buffer.concat([answer.toBuffer(), receipt.toBuffer()]));
        default: return session.send(pdu.response({ command_status: next }));
    }
}

function carryOut(orders) {
    for (const name of ['bind', 'submit', 'ids', 'enquire']) {
        if (name in orders) script[name] = orders[name];
    }
    for (const session of bound) {
        if (orders.deliver) session.deliver_sm(orders.deliver);
        if (orders.data) session.data_sm(orders.data);
        if (orders.raw) session.socket.write(Buffer.from(orders.raw, 'hex'));
        if (orders.unbind) session.unbind();
        if (orders.cut) session.destroy();
    }
}

const [certificate, key] = process.argv.slice(2).map((path) => fs.readFileSync(path));
const plain = smpp.createServer(listener(false));
const secure = smpp.createServer({ cert: certificate, key }, listener(true));
secure.on('tlsClientError', () => say('tls_error', {}));
plain.listen(0, '127.0.0.1', () => {
    secure.listen(0, '127.0.0.1', () => {
        console.log(JSON.stringify({ plain: plain.address().port, tls: secure.address().port }));
    });
});
readline.createInterface({ input: process.stdin })
    .on('line', (line) => {
        carryOut(JSON.parse(line));
        say('settled', {});
    })
    .on('close', () => process.exit(0));
