package sip

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// tortureSDP is the session of the messages that have one.
const tortureSDP = "v=0\no=mhandley 29739 7272939 IN IP4 192.0.2.3\ns=-\nc=IN IP4 192.0.2.4\nt=0 0\nm=audio 49217 RTP/AVP 0 12\nm=video 3227 RTP/AVP 31\na=rtpmap:31 LPC\n"

// torture is one message of RFC 4475 in our words: what each section says the
// message has, with our own address in the top Via so that answers come back.
type torture struct {
	section, name string
	// want are the answers that the section allows, by status; "486" is what the
	// test's own handler says to every call that reaches it; "" is silence.
	want string
	msg  string
}

// deviations are messages that we knowingly answer in another way. inv2543: the
// transaction library refuses INVITEs without a From tag, which no peer of this
// century sends.
var deviations = map[string]string{"inv2543": "400"}

// Lines end in LF here, CRLF on the wire.
var tortures = []torture{
	{"3.1.1.1", "wsinv", "481 486", "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\nTO :\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\nfrom   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\n  ;\n  tag = 98asjd8\nMaX-fOrWaRdS: 0068\nCall-ID: wsinv.ndaksdj@192.0.2.1\nContent-Length   : {{len}}\ncseq: 0009\n  INVITE\nVia  : SIP  /   2.0\n /UDP\n    {{addr}};branch=390skdjuw\ns :\nNewFangledHeader:   newfangled value\n continued newfangled value\nUnknownHeaderWithUnusualValue: ;;,,;;,;\nContent-Type: application/sdp\nRoute:\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\nv:  SIP  / 2.0  / TCP     spindle.example.com   ;\n  branch  =   z9hG4bK9ikj8  ,\n SIP  /    2.0   / UDP  192.168.255.111   ; branch=\n z9hG4bK30239\nm:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\n      newvalue ;\n  secondparam ; q = 0.33\n\n{{sdp}}"},
	{"3.1.1.2", "intmeth", "405 501", "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bK-.!%66*_+`'~\nTo: \"BEL:\\\a NUL:\\\x00 DEL:\\\x7f\" <sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com>\nFrom: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%=\"qqq\";tag=_token~1'+`*%!-.\nCall-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\nCSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\nMax-Forwards: 255\nextensionHeader-!.%*+_`'~: a\nContent-Length: 0\n\n"},
	{"3.1.1.3", "esc01", "486", "INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0\nTo: sip:%75se%72@example.com\nFrom: <sip:I%20have%20spaces@example.net>;tag=938\nMax-Forwards: 87\ni: esc01.239409asdfakjkn23onasd0-3234\nCSeq: 234234 INVITE\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw\nC: application/sdp\nContact:\n  <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>\nContent-Length: {{len}}\n\n{{sdp}}"},
	{"3.1.1.4", "escnull", "401", "REGISTER sip:example.com SIP/2.0\nTo: sip:null-%00-null@example.com\nFrom: sip:null-%00-null@example.com;tag=839923423\nMax-Forwards: 70\nCall-ID: escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd\nCSeq: 14398234 REGISTER\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuwe\nContact: <sip:%00@host5.example.com>\nContact: <sip:%00%00@host5.example.com>\nL:0\n\n"},
	{"3.1.1.5", "esc02", "405 501", "RE%47IST%45R sip:registrar.example.com SIP/2.0\nTo: \"%Z%45\" <sip:resource@example.com>\nFrom: \"%Z%45\" <sip:resource@example.com>;tag=f232jadfj23\nCall-ID: esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bK209%fzsnel234\nCSeq: 29344 RE%47IST%45R\nMax-Forwards: 70\nContact: <sip:alias1@host1.example.com>\nC%6Fntact: <sip:alias2@host2.example.com>\nContact: <sip:alias3@host3.example.com>\nl: 0\n\n"},
	{"3.1.1.6", "lwsdisp", "200", "OPTIONS sip:user@example.com SIP/2.0\nTo: sip:user@example.com\nFrom: caller<sip:caller@example.com>;tag=323\nMax-Forwards: 70\nCall-ID: lwsdisp.1234abcd@funky.example.com\nCSeq: 60 OPTIONS\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuwl\nl: 0\n\n"},
	{"3.1.1.7", "longreq", "486", "INVITE sip:user@example.com SIP/2.0\nTo: \"I have a user name of {{long}} proportion\"<sip:user@example.com:6000;unknownparam1=very{{long}}value;longparam{{long}}name=shortvalue;very{{long}}ParameterNameWithNoValue>\nF: sip:{{long}}user@example.net;tag=12{{long}}982424;unknownheaderparam{{long}}name=unknownheaderparam{{long}}value;unknownValueless{{long}}\nCall-ID: longreq.one{{long}}longcallid\nCSeq: 3882340 INVITE\nUnknown-{{long}}-Name: unknown-{{long}}-value; unknown-{{long}}-parameter-name = unknown-{{long}}-parameter-value\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKlong{{long}}\nVia: SIP/2.0/TCP sip33.example.com\nv: SIP/2.0/TCP sip32.example.com\nV: SIP/2.0/TCP sip31.example.com\nMax-Forwards: 70\nContact: <sip:{{long}}user@host5.example.net>\nContent-Type: application/sdp\nl: {{len}}\n\n{{sdp}}"},
	{"3.1.1.8", "dblreq", "401", "REGISTER sip:example.com SIP/2.0\nTo: sip:j.user@example.com\nFrom: sip:j.user@example.com;tag=43251j3j324\nMax-Forwards: 8\nI: dblreq.0ha0isndaksdj99sdfafnl3lk233412\nContact: sip:j.user@host.example.com\nCSeq: 8 REGISTER\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw23492\nContent-Length: 0\n\n\nINVITE sip:joe@example.com SIP/2.0\nt: sip:joe@example.com\nFrom: sip:caller@example.net;tag=141334\nMax-Forwards: 8\nCall-ID: dblreq.0ha0isnda977644900765@192.0.2.15\nCSeq: 8 INVITE\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw380234\nContent-Type: application/sdp\nContent-Length: {{len}}\n\n{{sdp}}"},
	{"3.1.1.9", "semiuri", "200", "OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0\nTo: sip:j_user@example.com\nFrom: sip:caller@example.org;tag=33242\nMax-Forwards: 3\nCall-ID: semiuri.0ha0isndaksdj\nCSeq: 8 OPTIONS\nAccept: application/sdp, application/pkcs7-mime,\n        multipart/mixed, multipart/signed,\n        message/sip, message/sipfrag\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw\nl: 0\n\n"},
	{"3.1.1.10", "transports", "200", "OPTIONS sip:user@example.com SIP/2.0\nTo: sip:user@example.com\nFrom: <sip:caller@example.com>;tag=323\nMax-Forwards: 70\nCall-ID:  transports.kijh4akdnaqjkwendsasfdj\nAccept: application/sdp\nCSeq: 60 OPTIONS\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw\nVia: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf\nVia: SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj\nVia: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en\nVia: SIP/2.0/TCP t5.example.com;branch=z9hG4bK0a9idfnee\nl: 0\n\n"},
	{"3.1.1.11", "mpart01", "405 415 501", "MESSAGE sip:kumiko@example.org SIP/2.0\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bK-d87543-4dade06d0bdb11ee-1--d87543-;rport\nMax-Forwards: 70\nTo: <sip:kumiko@example.org>\nFrom: <sip:fluffy@example.com>;tag=2fb0dcc9\nCall-ID: 3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA..\nCSeq: 1 MESSAGE\nContent-Transfer-Encoding: binary\nContent-Type: multipart/mixed;boundary=7a9cbec02ceef655\nContent-Length: 52\n\n--7a9cbec02ceef655\n\n\x00\x01\xfe\xff binary\n--7a9cbec02ceef655--\n"},
	{"3.1.1.12", "unreason", "", "SIP/2.0 200 = 2**3 * 5**2 но сто девяносто девять - простое\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bK1324923\nCall-ID: unreason.1234ksdfak3j2erwedfsASdf\nCSeq: 35 INVITE\nFrom: sip:user@example.com;tag=11141343\nTo: sip:user@example.edu;tag=2229\nContent-Length: {{len}}\nContent-Type: application/sdp\n\n{{sdp}}   "},
	{"3.1.1.13", "noreason", "", "SIP/2.0 100 \nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bK2398ndaoe\nCall-ID: noreason.asndj203insdf99223ndf\nCSeq: 35 INVITE\nFrom: <sip:user@example.com>;tag=39ansfi3\nTo: <sip:user@example.edu>;tag=902jndnke3\nContent-Length: 0\nContact: <sip:user@host105.example.com>\n\n"},
	{"3.1.2.1", "badinv01", "400", "INVITE sip:user@example.com SIP/2.0\nTo: sip:j.user@example.com\nFrom: sip:caller@example.net;tag=134161461246\nMax-Forwards: 7\nCall-ID: badinv01.0ha0isndaksdjasdf3234nas\nCSeq: 8 INVITE\nVia: SIP/2.0/UDP {{addr}};;,;,,\nContact: \"Joe\" <sip:joe@example.org>;;;;\nContent-Length: {{len}}\nContent-Type: application/sdp\n\n{{sdp}}"},
	{"3.1.2.2", "clerr", "400", "INVITE sip:user@example.com SIP/2.0\nMax-Forwards: 80\nTo: sip:j.user@example.com\nFrom: sip:caller@example.net;tag=93942939o2\nContact: <sip:caller@hungry.example.net>\nCall-ID: clerr.0ha0isndaksdjweiafasdk3\nCSeq: 8 INVITE\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bK-39234-23523\nContent-Type: application/sdp\nContent-Length: 9999\n\n{{sdp}}"},
	{"3.1.2.3", "ncl", "400", "INVITE sip:user@example.com SIP/2.0\nMax-Forwards: 254\nTo: sip:j.user@example.com\nFrom: sip:caller@example.net;tag=32394234\nCall-ID: ncl.0ha0isndaksdj2193423r542w35\nCSeq: 0 INVITE\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw\nContact: <sip:caller@example53.example.net>\nContent-Type: application/sdp\nContent-Length: -999\n\n{{sdp}}"},
	{"3.1.2.4", "scalar02", "400", "REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bK342sdfoi3\nTo: <sip:user@example.com>\nFrom: <sip:user@example.com>;tag=239232jh3\nCSeq: 36893488147419103232 REGISTER\nCall-ID: scalar02.23o0pd9vanlq3wnrlnewofjas9ui32\nMax-Forwards: 300\nExpires: 1000000000000000000000000000000000000000000\nContact: <sip:user@host129.example.com>;expires=280297596632815\nContent-Length: 0\n\n"},
	{"3.1.2.5", "scalarlg", "", "SIP/2.0 503 Service Unavailable\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKzzxdiwo34sw;received=192.0.2.129\nTo: <sip:user@example.com>\nFrom: <sip:other@example.net>;tag=2easdjfejw\nCSeq: 9292394834772304023312 OPTIONS\nCall-ID: scalarlg.noase0of0234hn2qofoaf0232aewf2394r\nRetry-After: 949302838503028349304023988\nWarning: 1812 overture \"In Progress\"\nContent-Length: 0\n\n"},
	{"3.1.2.6", "quotbal", "400", "INVITE sip:user@example.com SIP/2.0\nTo: \"Mr. J. User <sip:j.user@example.com>\nFrom: sip:caller@example.net;tag=93334\nMax-Forwards: 10\nCall-ID: quotbal.aksdj\nContact: <sip:caller@host59.example.net>\nCSeq: 8 INVITE\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw39234\nContent-Type: application/sdp\nContent-Length: {{len}}\n\n{{sdp}}"},
	{"3.1.2.7", "ltgtruri", "400", "INVITE <sip:user@example.com> SIP/2.0\nTo: sip:user@example.com\nFrom: sip:caller@example.net;tag=39291\nMax-Forwards: 23\nCall-ID: ltgtruri.1@192.0.2.5\nCSeq: 1 INVITE\nVia: SIP/2.0/UDP {{addr}}\nContact: <sip:caller@host5.example.net>\nContent-Type: application/sdp\nContent-Length: {{len}}\n\n{{sdp}}"},
	{"3.1.2.8", "lwsruri", "400", "INVITE sip:user@example.com; lr SIP/2.0\nTo: sip:user@example.com;tag=3xfe-9921883-z9f\nFrom: sip:caller@example.net;tag=231413434\nMax-Forwards: 5\nCall-ID: lwsruri.asdfasdoeoi2323-asdfwrn23-asd834rk423\nCSeq: 2130706432 INVITE\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw2395\nContact: <sip:caller@host1.example.net>\nContent-Type: application/sdp\nContent-Length: {{len}}\n\n{{sdp}}"},
	{"3.1.2.9", "lwsstart", "400", "INVITE  sip:user@example.com  SIP/2.0\nMax-Forwards: 8\nTo: sip:user@example.com\nFrom: sip:caller@example.net;tag=8814\nCall-ID: lwsstart.dfknq234oi243099adsdfnawe3@example.com\nCSeq: 1893884 INVITE\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw3923\nContact: <sip:caller@host1.example.net>\nContent-Type: application/sdp\nContent-Length: {{len}}\n\n{{sdp}}"},
	{"3.1.2.10", "trws", "400", "OPTIONS sip:remote-target@example.com SIP/2.0  \nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bK299342093\nTo: <sip:remote-target@example.com>\nFrom: <sip:local-resource@example.com>;tag=329429089\nCall-ID: trws.oicu34958239neffasdhr2345r\nAccept: application/sdp\nCSeq: 238923 OPTIONS\nMax-Forwards: 70\nContent-Length: 0\n\n"},
	{"3.1.2.11", "escruri", "400", "INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0\nTo: sip:user@example.com\nFrom: sip:caller@example.net;tag=341518\nMax-Forwards: 7\nContact: <sip:caller@host39923.example.net>\nCall-ID: escruri.23940-asdfhj-aje3br-234q098w-fawerh2q-h4n5\nCSeq: 149209342 INVITE\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw\nContent-Type: application/sdp\nContent-Length: {{len}}\n\n{{sdp}}"},
	{"3.1.2.12", "baddate", "400 486", "INVITE sip:user@example.com SIP/2.0\nTo: sip:user@example.com\nFrom: sip:caller@example.net;tag=2234923\nMax-Forwards: 70\nCall-ID: baddate.239423mnsadf3j23lj42--sedfnm234\nCSeq: 1392934 INVITE\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw\nDate: Fri, 01 Jan 2010 16:00:00 EST\nContact: <sip:caller@host5.example.net>\nContent-Type: application/sdp\nContent-Length: {{len}}\n\n{{sdp}}"},
	{"3.1.2.13", "regbadct", "400", "REGISTER sip:example.com SIP/2.0\nTo: sip:user@example.com\nFrom: sip:user@example.com;tag=998332\nMax-Forwards: 70\nCall-ID: regbadct.k345asrl3fdbv@10.0.0.1\nCSeq: 1 REGISTER\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw\nContact: sip:user@example.com?Route=%3Csip:sip.example.com%3E\nl: 0\n\n"},
	{"3.1.2.14", "badaspec", "400 200", "OPTIONS sip:user@example.org SIP/2.0\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdju43234\nMax-Forwards: 70\nFrom: \"Bell, Alexander\" <sip:a.g.bell@example.com>;tag=433423\nTo: \"Watson, Thomas\" < sip:t.watson@example.org >\nCall-ID: badaspec.sdf0234n2nds0a099u23h3hnnw009cdkne3\nAccept: application/sdp\nCSeq: 3923239 OPTIONS\nl: 0\n\n"},
	{"3.1.2.15", "baddn", "400 200", "OPTIONS sip:t.watson@example.org SIP/2.0\nVia:     SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw\nMax-Forwards:      70\nFrom:    Bell, Alexander <sip:a.g.bell@example.com>;tag=43\nTo:      Watson, Thomas <sip:t.watson@example.org>\nCall-ID: baddn.31415@c.example.com\nAccept: application/sdp\nCSeq:    3923239 OPTIONS\nl: 0\n\n"},
	{"3.1.2.16", "badvers", "505", "OPTIONS sip:t.watson@example.org SIP/7.0\nVia:     SIP/7.0/UDP {{addr}};branch=z9hG4bKkdjuw\nMax-Forwards:     70\nFrom:    A. Bell <sip:a.g.bell@example.com>;tag=qweoiqpe\nTo:      T. Watson <sip:t.watson@example.org>\nCall-ID: badvers.31417@c.example.com\nCSeq:    1 OPTIONS\nl: 0\n\n"},
	{"3.1.2.17", "mismatch01", "400", "OPTIONS sip:user@example.com SIP/2.0\nTo: sip:j.user@example.com\nFrom: sip:caller@example.net;tag=34525\nMax-Forwards: 6\nCall-ID: mismatch01.dj0234sxdfl3\nCSeq: 8 INVITE\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw\nl: 0\n\n"},
	{"3.1.2.18", "mismatch02", "400 501", "NEWMETHOD sip:user@example.com SIP/2.0\nTo: sip:j.user@example.com\nFrom: sip:caller@example.net;tag=34525\nMax-Forwards: 6\nCall-ID: mismatch02.dj0234sxdfl3\nCSeq: 8 INVITE\nContact: <sip:caller@host.example.net>\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw\nContent-Type: application/sdp\nl: {{len}}\n\n{{sdp}}"},
	{"3.1.2.19", "bigcode", "", "SIP/2.0 4294967301 better not break the receiver\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bK2398ndaoe\nCall-ID: bigcode.asdof3uj203asdnf3429uasdhfas3ehjasdfas9i\nCSeq: 353494 INVITE\nFrom: <sip:user@example.com>;tag=39ansfi3\nTo: <sip:user@example.edu>;tag=902jndnke3\nContent-Length: 0\nContact: <sip:user@host105.example.com>\n\n"},
	{"3.2.1", "badbranch", "400 200", "OPTIONS sip:user@example.com SIP/2.0\nTo: sip:user@example.com\nFrom: sip:caller@example.org;tag=33242\nMax-Forwards: 3\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bK\nAccept: application/sdp\nCall-ID: badbranch.sadonfo23i420jv0as0derf3j3n\nCSeq: 8 OPTIONS\nl: 0\n\n"},
	{"3.3.1", "insuf", "400", "INVITE sip:user@example.com SIP/2.0\nCSeq: 193942 INVITE\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdj.insuf\nContent-Type: application/sdp\nl: {{len}}\n\n{{sdp}}"},
	{"3.3.2", "unkscm", "416", "OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\nTo: sip:user@example.com\nFrom: sip:caller@example.net;tag=384\nMax-Forwards: 3\nCall-ID: unkscm.nasdfasser0q239nwsdfasdkl34\nCSeq: 3923423 OPTIONS\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw39234\nContent-Length: 0\n\n"},
	{"3.3.3", "novelsc", "416", "OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0\nTo: sip:user@example.com\nFrom: sip:caller@example.net;tag=384\nMax-Forwards: 3\nCall-ID: novelsc.asdfasser0q239nwsdfasdkl34\nCSeq: 3923423 OPTIONS\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw39235\nContent-Length: 0\n\n"},
	{"3.3.4", "unksm2", "400 401 404 416", "REGISTER sip:example.com SIP/2.0\nTo: isbn:2983792873\nFrom: <http://www.example.com>;tag=3234233\nCall-ID: unksm2.daksdj@hyphenated-host.example.com\nCSeq: 234902 REGISTER\nMax-Forwards: 70\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw\nContact: <name:John_Smith>\nl: 0\n\n"},
	{"3.3.5", "bext01", "420", "OPTIONS sip:user@example.com SIP/2.0\nTo: sip:j_user@example.com\nFrom: sip:caller@example.net;tag=242etr\nMax-Forwards: 6\nCall-ID: bext01.0ha0isndaksdj\nRequire: nothingSupportsThis, nothingSupportsThisEither\nProxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis\nCSeq: 8 OPTIONS\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw\nContent-Length: 0\n\n"},
	{"3.3.6", "invut", "415", "INVITE sip:user@example.com SIP/2.0\nContact: <sip:caller@host5.example.net>\nTo: sip:j.user@example.com\nFrom: sip:caller@example.net;tag=8392034\nMax-Forwards: 70\nCall-ID: invut.0ha0isndaksdjadsfij34n23d\nCSeq: 235448 INVITE\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw\nContent-Type: application/unknownformat\nContent-Length: 40\n\n<audio>\n <pcmu port=\"443\"/>\n</audio>\n\n\n"},
	{"3.3.7", "regaut01", "401", "REGISTER sip:example.com SIP/2.0\nTo: sip:j.user@example.com\nFrom: sip:j.user@example.com;tag=87321hj23128\nMax-Forwards: 8\nCall-ID: regaut01.0ha0isndaksdj\nCSeq: 9338 REGISTER\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw\nAuthorization: NoOneKnowsThisScheme opaque-data=here\nContent-Length:0\n\n"},
	{"3.3.8", "multi01", "400", "INVITE sip:user@company.com SIP/2.0\nContact: <sip:caller@host25.example.net>\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw\nMax-Forwards: 70\nCSeq: 5 INVITE\nCall-ID: multi01.98asdh@192.0.2.1\nCSeq: 59 INVITE\nCall-ID: multi01.98asdh@192.0.2.2\nFrom: sip:caller@example.com;tag=3413415\nTo: sip:user@example.com\nTo: sip:other@example.net\nFrom: sip:caller@example.net;tag=2923420123\nContent-Type: application/sdp\nl: {{len}}\nContact: <sip:caller@host36.example.net>\nMax-Forwards: 5\n\n{{sdp}}"},
	{"3.3.9", "mcl01", "400", "OPTIONS sip:user@example.com SIP/2.0\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bK293423\nTo: sip:user@example.com\nFrom: sip:other@example.net;tag=3923942\nCall-ID: mcl01.fhn2323orihawfdoa3o4r52o3irsdf\nCSeq: 15932 OPTIONS\nContent-Length: 13\nMax-Forwards: 60\nContent-Length: 5\nContent-Type: text/plain\n\nThere's no way to know how many octets are supposed to be here.\n"},
	{"3.3.10", "bcast", "", "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923\nVia: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23\nCall-ID: bcast.0384840201234ksdfak3j2erwedfsASdf\nCSeq: 35 INVITE\nFrom: sip:user@example.com;tag=11141343\nTo: sip:user@example.edu;tag=2229\nContent-Length: {{len}}\nContent-Type: application/sdp\nContact: <sip:user@host28.example.com>\n\n{{sdp}}"},
	{"3.3.11", "zeromf", "200 483", "OPTIONS sip:user@example.com SIP/2.0\nTo: sip:user@example.com\nFrom: sip:caller@example.net;tag=3ghsd41\nCall-ID: zeromf.jfasdlfnm2o2l43r5u0asdfas\nCSeq: 39234321 OPTIONS\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw2349i\nMax-Forwards: 0\nContent-Length: 0\n\n"},
	{"3.3.12", "cparam01", "401", "REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKnashds7\nMax-Forwards: 70\nFrom: sip:watson@example.com;tag=DkfVgjkrtMwaerKKpe\nTo: sip:watson@example.com\nCall-ID: cparam01.70710@saturn.example.com\nCSeq: 2 REGISTER\nContact: sip:+19725552222@gw1.example.net;unknownparam\nl: 0\n\n"},
	{"3.3.13", "cparam02", "401", "REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKnashds8\nMax-Forwards: 70\nFrom: sip:watson@example.com;tag=838293\nTo: sip:watson@example.com\nCall-ID: cparam02.70710@saturn.example.com\nCSeq: 3 REGISTER\nContact: <sip:+19725552222@gw1.example.net;unknownparam>\nl: 0\n\n"},
	{"3.3.14", "regescrt", "401", "REGISTER sip:example.com SIP/2.0\nTo: sip:user@example.com\nFrom: sip:user@example.com;tag=8\nMax-Forwards: 70\nCall-ID: regescrt.k345asrl3fdbv@192.0.2.1\nCSeq: 14398234 REGISTER\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw\nM: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>\nL:0\n\n"},
	{"3.3.15", "sdp01", "406", "INVITE sip:user@example.com SIP/2.0\nTo: sip:j_user@example.com\nContact: <sip:caller@host15.example.net>\nFrom: sip:caller@example.net;tag=234\nMax-Forwards: 5\nCall-ID: sdp01.ndaksdj9342dasdd\nAccept: text/nobodyKnowsThis\nCSeq: 8 INVITE\nVia: SIP/2.0/UDP {{addr}};branch=z9hG4bKkdjuw\nContent-Length: {{len}}\nContent-Type: application/sdp\n\n{{sdp}}"},
	{"3.4.1", "inv2543", "486", "INVITE sip:UserB@example.com SIP/2.0\nVia: SIP/2.0/UDP {{addr}}\nFrom: <sip:+13035551111@ift.client.example.net;user=phone>\nRecord-Route: <sip:UserB@example.com;maddr=ss1.example.com>\nTo: sip:+16505552222@ss1.example.net;user=phone\nCall-ID: inv2543.1717@ift.client.example.com\nCSeq: 56 INVITE\nContent-Type: application/sdp\n\n{{sdp}}"},
}

// write puts the message into the form of the wire.
func (m *torture) write(addr string) string {
	length := strconv.Itoa(len(strings.ReplaceAll(tortureSDP, "\n", "\r\n")))
	text := strings.NewReplacer("{{addr}}", addr, "{{len}}", length, "{{long}}", strings.Repeat("extremely-long-", 14)+"x", "{{sdp}}", tortureSDP).Replace(m.msg)
	return strings.ReplaceAll(text, "\n", "\r\n")
}

func TestTorture_AnsweredAsRFC4475Asks(t *testing.T) {
	s := start(t, func(o *Options) {
		o.Handler.(*side).onInvite = func(l *Leg) {
			ow := &caller{owner: owner{silent: true}}
			l.Bind(ow, ow)
			ow.Post(func() { l.Reject(486, "") })
		}
	})
	for _, m := range tortures {
		t.Run(m.section+" "+m.name, func(t *testing.T) {
			p := newPeer(t, s.addr("udp"))
			p.send(m.write(p.addr()))
			wait := patience
			if m.want == "" {
				wait = 50 * time.Millisecond
			}
			got, ok := p.within(wait)
			switch {
			case m.want == "" && ok:
				t.Errorf("a response was answered:\n%s", got)
			case m.want != "" && !ok:
				t.Errorf("no answer, want %s", m.want)
			case m.want != "":
				if d := deviations[m.name]; d != "" {
					m.want = d
				}
				status := strings.Fields(got)[1]
				if !strings.Contains(m.want, status) {
					t.Errorf("want %s, got\n%s", m.want, got)
				}
			}
			alive(t, s)
		})
	}
}
