package browser

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"fanfare/test/servers"
)

// pictures is where make screenshots puts the README's pictures. Without it, the test only makes
// sure that they can be made.
var pictures = flag.String("pictures", "", "write the README's pictures into this `folder`, from a demo of a minute")

// shareShown is how much of the campaign has ended in the pictures, in percent.
const shareShown = 70

// TestDemo looks at the console that "fanfare demo --keep" serves, while it sends.
func TestDemo(t *testing.T) {
	t.Parallel()
	args := []string{"demo", "--keep", "--message", "../../examples/message.json", "--audience", "../../examples/audience.csv"}
	if *pictures != "" {
		args[len(args)-1] = writeAudience(t, 400_000)
	}
	demo := servers.StartProcess(t, nil, programs.Path("fanfare"), args...)
	var base string
	servers.Eventually(t, "the demo serves its console", func() bool {
		_, line, found := strings.Cut(string(demo.Stdout()), "console: ")
		address, _, ended := strings.Cut(line, "/\n")
		base = address
		return found && ended
	})
	p := openTab(t, base)
	p.await("the campaign is there", `(async () => { location.pathname === '/campaigns/demo' || location.assign(`+quote(base+"/campaigns/demo")+`); return document.querySelector('[data-part=progress]'); })()`)
	p.await("most have ended", fmt.Sprintf(`parseFloat(document.querySelector('[data-part=progress] .figure').innerText) >= %d`, shareShown))
	p.await("the charts have lines", `document.querySelectorAll('.plot canvas').length === 3`)
	command(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: wide, Height: 1120, DeviceScaleFactor: 1})
	p.await("the charts have their new width", `[...document.querySelectorAll('.plot')].every((box) => box.querySelector('canvas').clientWidth === box.clientWidth)`)
	for _, scheme := range []string{"light", "dark"} {
		p.prefer(scheme)
		p.picture(t, "console-campaign-"+scheme)
	}
}

// picture takes a picture of the part of the page that a screen shows.
func (p *tab) picture(t *testing.T, name string) {
	t.Helper()
	p.await("nothing moves", `document.getAnimations().length === 0`)
	read[bool](p, `(document.querySelector('.who .lbl').textContent = 'you · operate', true)`) // not the account of this machine
	image, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil || len(image) < 20_000 {
		t.Fatalf("picture %s of %d bytes: %v", name, len(image), err)
	}
	if *pictures == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*pictures, name+".png"), image, 0o644); err != nil { //nolint:gosec // everyone may read it
		t.Fatal(err)
	}
}

// writeAudience writes an audience of which some tokens are dead, refused or not there.
func writeAudience(t *testing.T, n int) (path string) {
	t.Helper()
	var rows strings.Builder
	rows.WriteString("userId,fcmToken,city\n")
	choose := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same people each time
	cities := []string{"Lagos", "Lyon", "Ulm", "Hanoi", "Quito"}
	for i := range n {
		token := "ok-"
		switch x := choose.Float64(); {
		case x < 0.021:
			token = "dead-"
		case x < 0.024:
			token = "invalid-"
		case x < 0.030:
			token = "unavailable-"
		case x < 0.034:
			token = ""
		}
		if token != "" {
			token += fmt.Sprintf("%08x%08x", choose.Uint32(), i)
		}
		fmt.Fprintf(&rows, "user-%06d,%s,%s\n", i, token, cities[choose.IntN(len(cities))])
	}
	path = filepath.Join(t.TempDir(), "audience.csv")
	if err := os.WriteFile(path, []byte(rows.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
